terraform {
  required_providers {
    hypersdk = { source = "hypersdk/hypersdk" }
  }
}

provider "hypersdk" {}

data "hypersdk_datacenters" "all" {}
data "hypersdk_clusters" "all" {}
data "hypersdk_hosts" "all" { cluster = "/DC0/host/DC0_C0" }

output "hosts" { value = length(data.hypersdk_hosts.all.hosts) }
