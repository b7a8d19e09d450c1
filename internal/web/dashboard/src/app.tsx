import { ActionIcon, AppShell, Burger, Group, NavLink, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconActivity, IconArrowsTransferDown, IconBell, IconCpu, IconDeviceDesktop, IconHistory, IconLayoutDashboard, IconMoon, IconSun } from "@tabler/icons-react";
import { Link, Redirect, Route, Router, Switch, useLocation } from "wouter";
import { useLost } from "./api/link";
import { useGet } from "./api/store";
import type { VCenter } from "./api/types";
import { useEventLog } from "./events";
import { duration } from "./format";
import { Nothing } from "./parts/state";
import { AuditPage } from "./pages/audit";
import { EventsPage } from "./pages/events";
import { HostsPage } from "./pages/hosts";
import { JobPage } from "./pages/job";
import { JobsPage } from "./pages/jobs";
import { Login } from "./pages/login";
import { MigratePage } from "./pages/migrate";
import { OverviewPage } from "./pages/overview";
import { VMPage } from "./pages/vm";
import { VMsPage } from "./pages/vms";
import { useNow } from "./time";

const pages = [
  { path: "/", title: "Overview", icon: IconLayoutDashboard },
  { path: "/hosts", title: "Hosts and clusters", icon: IconCpu },
  { path: "/vms", title: "Virtual machines", icon: IconDeviceDesktop },
  { path: "/jobs", title: "Jobs", icon: IconArrowsTransferDown },
  { path: "/events", title: "Events", icon: IconBell },
  { path: "/audit", title: "Audit", icon: IconHistory },
];

export function App() {
  const vcenter = useGet<VCenter>("/vsphere/vcenter/info", 60);
  if (vcenter.problem?.status === 401) return <Login onDone={vcenter.reload} />;
  return (
    <Router base="/ui">
      <Shell vcenter={vcenter.data} />
    </Router>
  );
}

function Shell({ vcenter }: { vcenter: VCenter | undefined }) {
  const [opened, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const log = useEventLog();
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="menu" />
            <IconActivity size={22} color="var(--mantine-primary-color-filled)" aria-hidden />
            <Text fw={700}>hypersdk</Text>
            {vcenter && (
              <Text size="sm" c="dimmed" className="clip" visibleFrom="xs">
                {vcenter.name} {vcenter.version} · {hostOf(vcenter.url)}
              </Text>
            )}
          </Group>
          <Scheme />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="pages">
        {pages.map(({ path, title, icon: Icon }) => (
          <NavLink
            key={path}
            component={Link}
            href={path}
            label={title}
            leftSection={<Icon size={18} aria-hidden />}
            active={path === "/" ? location === "/" : location.startsWith(path)}
            aria-current={(path === "/" ? location === "/" : location.startsWith(path)) ? "page" : undefined}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Lost />
        <Switch>
          <Route path="/">
            <OverviewPage log={log} />
          </Route>
          <Route path="/hosts">
            <HostsPage />
          </Route>
          <Route path="/vms">
            <VMsPage />
          </Route>
          <Route path="/vms/:ref">{({ ref }) => <VMPage key={ref} of={decodeURIComponent(ref)} log={log} />}</Route>
          <Route path="/jobs">
            <JobsPage />
          </Route>
          <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/migrate">
            <MigratePage />
          </Route>
          <Route path="/events">
            <EventsPage log={log} />
          </Route>
          <Route path="/audit">
            <AuditPage />
          </Route>
          <Route path="/index.html">
            <Redirect to="/" />
          </Route>
          <Route>
            <Nothing what="There is no such page">
              <Link href="/">Go to the overview</Link>
            </Nothing>
          </Route>
        </Switch>
      </AppShell.Main>
    </AppShell>
  );
}

/** Lost is shown while hypersdkd cannot be reached: what is on the page is old then. */
function Lost() {
  const since = useLost();
  const now = useNow(since > 0);
  if (since === 0) return null;
  return (
    <div role="status" style={{ background: "var(--bad)", color: "var(--mantine-color-body)", borderRadius: 8, padding: "6px 12px", marginBottom: 12, fontWeight: 600 }}>
      Connection lost {duration((now - since) / 1000)} ago. What you see is from then; trying again.
    </div>
  );
}

function Scheme() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon variant="default" aria-label={dark ? "light colours" : "dark colours"} onClick={() => setColorScheme(dark ? "light" : "dark")}>
      {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
