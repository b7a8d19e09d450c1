// The shapes of the API's answers, as far as the pages show them. Fields carry their unit in their name.

export type Health = "green" | "yellow" | "red" | "gray";

export interface VCenter {
  name: string;
  full_name: string;
  version: string;
  build: string;
  api_version: string;
  instance_uuid: string;
  url: string;
}

export interface Host {
  ref: string;
  name: string;
  path: string;
  datacenter: string;
  cluster: string;
  state: string;
  power_state: string;
  maintenance: boolean;
  overall_status: Health;
  vendor: string;
  model: string;
  cpu_model: string;
  cpu_sockets: number;
  cpu_cores: number;
  cpu_threads: number;
  cpu_total_mhz: number;
  cpu_usage_mhz: number;
  memory_mb: number;
  memory_usage_mb: number;
  version: string;
  build: string;
  uptime_seconds: number;
  vms: number;
  datastores: number;
}

export interface Cluster {
  ref: string;
  name: string;
  path: string;
  datacenter: string;
  overall_status: Health;
  drs: boolean;
  drs_mode: string;
  ha: boolean;
  hosts: number;
  effective_hosts: number;
  cpu_cores: number;
  cpu_total_mhz: number;
  cpu_usage_mhz: number;
  memory_mb: number;
  memory_usage_mb: number;
  vms: number;
}

export interface Datacenter {
  ref: string;
  name: string;
  path: string;
  vms: number;
  hosts: number;
  clusters: number;
}

export interface Disk {
  address: string;
  label: string;
  capacity_gb: number;
  thin: boolean;
  datastore: string;
}

export interface NIC {
  label: string;
  mac: string;
  network: string;
  type: string;
  connected: boolean;
}

export interface VM {
  ref: string;
  name: string;
  path: string;
  datacenter: string;
  folder: string;
  resource_pool: string;
  cluster: string;
  host: string;
  instance_uuid: string;
  template: boolean;
  power_state: string;
  connection_state: string;
  guest_id: string;
  guest_full_name: string;
  hostname: string;
  ip_addresses: string[] | null;
  tools_status: string;
  firmware: string;
  cpus: number;
  memory_mb: number;
  annotation: string;
  cbt: boolean;
  disks: Disk[] | null;
  nics: NIC[] | null;
  snapshot_count: number;
}

/** One VM, read whole. */
export interface VMDetail {
  ref: string;
  name: string;
  path: string;
  template: boolean;
  power_state: string;
  host: string;
  resource_pool: string;
  guest_id: string;
  guest_full_name: string;
  ip_address: string;
  tools_status: string;
  firmware: string;
  secure_boot: boolean;
  cpus: number;
  memory_mb: number;
  annotation: string;
  disks: DiskDetail[] | null;
  nics: NIC[] | null;
  snapshots: Snapshot[] | null;
}

export interface DiskDetail {
  address: string;
  label: string;
  controller: string;
  capacity_bytes: number;
  datastore: string;
  provisioning: string;
}

export interface Snapshot {
  ref: string;
  name: string;
  path: string;
  description: string;
  created: string;
  current: boolean;
}

export interface Event {
  key: number;
  created_at: string;
  event_type: string;
  severity: "info" | "user" | "warning" | "error";
  category: string;
  message: string;
  user: string;
  entity: string;
  entity_type: string;
}

export interface Finding {
  id: string;
  severity: "critical" | "warning" | "info";
  text: string;
  action: string;
}

/** One time's values by metric; a metric that has no value is absent. */
export type Sample = { time: string } & Record<string, number | string>;

export interface Metrics {
  entity: string;
  type: string;
  interval_seconds: number;
  samples: Sample[] | null;
  units: Record<string, string>;
  missing?: Record<string, string>;
}

export type Status = "pending" | "running" | "succeeded" | "failed" | "canceled" | "skipped";

/** An amount of work, in unit: "bytes", "percent" or nothing. */
export interface Measure {
  done: number;
  total: number; // 0: not known
  unit?: string;
  wire?: number;
  rate?: number; // unit a second
  eta_seconds?: number;
}

export interface Item extends Measure {
  name: string;
  status: Status;
  message?: string;
}

export interface Stage extends Item {
  items?: Item[];
  started?: string;
  ended?: string;
}

export interface Job {
  id: string;
  kind: string;
  name?: string;
  status: Status;
  waiting?: string;
  attempts: number;
  percent: number;
  stages?: Stage[];
  cancel_requested?: { by?: string; reason?: string; at: string };
  worker?: string;
  schedule?: string;
  submitted_by?: string;
  error?: { kind: string; text: string; hints?: string[]; done?: string[]; failed?: Record<string, string> };
  artifacts?: { name: string; path: string; bytes: number; sha256?: string }[];
  result?: unknown;
  created: string;
  started?: string;
  ended?: string;
  revision: number;
}

export interface JobUpdate {
  seq: number;
  id: string;
  deleted?: boolean;
  job?: Job;
}

export interface LogLine {
  line: number;
  time: string;
  level: string;
  text: string;
}

/** What a migration would do, and what would stop it. */
export interface Plan {
  name: string;
  dir: string;
  resume?: string;
  stages: { name: string; does: string; status?: Status }[] | null;
  disks: { id: string; address: string; capacity_bytes: number; transport: string; skip?: boolean }[] | null;
  need_bytes: number;
  free_bytes: number; // -1: not known
  findings: Finding[] | null;
  blocking: Finding[] | null;
}

/** The body of POST /jobs and of POST /preflight. */
export interface JobRequest {
  name?: string;
  vm_path: string;
  output_dir: string;
  format: string;
  options: {
    enable_pipeline: boolean;
    hyper2kvm_path?: string;
    pipeline_inspect?: boolean;
    pipeline_fix?: boolean;
    pipeline_convert?: boolean;
    pipeline_validate?: boolean;
    pipeline_compress?: boolean;
    compress_level?: number;
    libvirt_integration?: boolean;
    libvirt_uri?: string;
    libvirt_autostart?: boolean;
    libvirt_bridge?: string;
    libvirt_pool?: string;
  };
}
