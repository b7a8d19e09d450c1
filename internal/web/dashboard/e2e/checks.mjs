// What a person would look at, each in a page of its own. A check throws when the page is not as it says.
import assert from "node:assert/strict";

const row = (page, name) => page.getByRole("row").filter({ hasText: name });

export const checks = {
  async "the overview shows capacity, machines and events"({ page, open }) {
    await open("/ui/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("meter", { name: "memory of DC0_C0" }).waitFor();
    await page.getByText("VMs running").waitFor();
    await page.getByRole("heading", { name: "Recent events" }).waitFor();
  },

  async "hosts and clusters are listed, sorted and filtered"({ page, open }) {
    await open("/ui/hosts");
    await row(page, "DC0_C0_H0").waitFor();
    await page.getByLabel("filter by name").fill("*_H1");
    await row(page, "DC0_C0_H0").waitFor({ state: "detached" });
    await row(page, "DC0_C0_H1").waitFor();
    await page.getByLabel("filter by name").fill("");
    await page.getByRole("button", { name: /^Host/ }).click(); // turned around
    await page.getByRole("columnheader", { name: "Host ↓" }).waitFor();
    await page.getByRole("tab", { name: /Clusters/ }).click();
    await row(page, "DC0_C0").first().waitFor();
  },

  async "ten thousand machines: only what is seen is drawn, the keyboard reaches the last"({ page, open }) {
    const vms = Array.from({ length: 10_000 }, (_, i) => ({
      ref: `vm-${i}`, name: `web-${i}`, path: `/DC0/vm/web-${i}`, cluster: "C", host: "H", resource_pool: "", template: false, power_state: i % 2 ? "poweredOn" : "poweredOff",
      connection_state: "connected", guest_full_name: "Debian", ip_addresses: [], cpus: 1, memory_mb: 512, disks: [], snapshot_count: 0,
    }));
    await page.route("**/vsphere/vms?*", (route) => route.fulfill({ json: vms }));
    await open("/ui/vms");
    await page.getByText("10000 of 10000").waitFor();
    assert.ok((await page.getByRole("row").count()) < 100, "every row is drawn");
    const grid = page.getByRole("grid", { name: "virtual machines" });
    await grid.focus();
    await page.keyboard.press("End");
    await row(page, "web-9999").waitFor();
    await page.keyboard.press(" ");
    await page.getByText("1 selected").waitFor();
    await page.getByLabel("filter", { exact: true }).fill("web-77?7");
    await page.getByText("10 of 10000").waitFor();
    await page.getByText("1 selected").waitFor(); // selected, though not shown
  },

  async "a machine's page has its parts, plots and findings"({ page, open }) {
    await open("/ui/vms");
    await row(page, "DC0_C0_RP0_VM0").first().click();
    await page.getByRole("heading", { name: "DC0_C0_RP0_VM0" }).waitFor();
    await page.getByRole("heading", { name: "Disks and adapters" }).waitFor();
    await page.getByRole("img", { name: /^plot: used [\d.]+ %/ }).first().waitFor();
    await page.getByRole("heading", { name: "Before a migration" }).waitFor();
  },

  async "machines are changed in bulk, each told alone"({ page, open }) {
    await open("/ui/vms");
    for (const name of ["DC0_C0_RP0_VM1", "DC0_C0_RP0_VM2"]) await row(page, name).first().getByRole("checkbox").check();
    await page.getByRole("button", { name: "Take snapshots" }).click();
    await page.getByLabel("Name of the snapshot").fill("from the dashboard");
    await page.getByRole("button", { name: "Take snapshots 2" }).click();
    await page.getByRole("dialog").getByText("succeeded").nth(1).waitFor();
    await page.getByRole("button", { name: "Close" }).last().click();
    await row(page, "DC0_C0_RP0_VM2").first().click();
    await page.getByText("from the dashboard").first().waitFor();
  },

  async "deleting wants a word typed, and leaves out what runs"({ page, open }) {
    await open("/ui/vms");
    await row(page, "DC0_C0_RP0_VM1").first().getByRole("checkbox").check();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("left out: it runs").waitFor();
    assert.ok(await page.getByRole("button", { name: "Delete 0" }).isDisabled(), "nothing is to be deleted, and the button works");
  },

  async "an event is shown when it happens"({ page, open, request }) {
    await open("/ui/events");
    await page.getByRole("grid", { name: "events" }).waitFor();
    const answer = await request("POST", "/vsphere/vms/DC0_C1_RP0_VM0/power", { action: "off" });
    assert.equal(answer.status, 200);
    await row(page, "VmPoweredOffEvent").first().waitFor();
  },

  async "a migration is refused without a machine, and its form has the documented defaults"({ page, open }) {
    await open("/ui/migrate");
    assert.ok(await page.getByRole("button", { name: "Start the migration" }).isDisabled(), "an empty form can be sent");
    for (const [label, value] of [["Libvirt URI", "qemu:///system"], ["Network bridge", "virbr0"], ["Storage pool", "default"], ["Compression level", "6"]]) {
      assert.equal(await page.getByLabel(label).inputValue(), value, label);
    }
    await page.getByRole("button", { name: "Pipeline" }).click(); // folds
    await page.getByLabel("Compression level").waitFor({ state: "hidden" });
  },

  async "the audit log names what was changed"({ page, open, request }) {
    await request("POST", "/vsphere/vms/DC0_C1_RP0_VM0/power", { action: "on" });
    await open("/ui/audit");
    await row(page, "POST /vsphere/vms/DC0_C1_RP0_VM0/power").first().waitFor();
  },

  async "a page that there is not says so"({ page, open }) {
    await open("/ui/nowhere");
    await page.getByText("There is no such page").waitFor();
  },

  async "a narrow screen needs no sideways scrolling, and its menu opens"({ browser, base, watch }) {
    const page = await watch(await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme: "dark" }));
    for (const path of ["/ui/", "/ui/hosts", "/ui/vms", "/ui/jobs", "/ui/migrate", "/ui/events"]) {
      await page.goto(base + path);
      await page.getByRole("heading").first().waitFor();
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${path} is ${over} pixels too wide`);
    }
    await page.getByRole("button", { name: "menu" }).click();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.close();
  },
};
