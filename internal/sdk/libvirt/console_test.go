package libvirt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                             "plain",
		"\x1b[1;32mgreen\x1b[0m":            "green",
		"\x1b]0;title\x07text":              "text",
		"\x1b]8;;http://x\x1b\\link":        "link",
		"\x1b(Btext\x1b=":                   "text",
		"a\x00b\x07c\x7fd\x9be":             "abcd?e",
		"tab\there  ":                       "tab here",
		"\xff\xfe":                          "??",
		"caf\u00e9 \u202eevil\u200b":        "caf\u00e9 evil",
		"\x1b":                              "",
		"\x1b[":                             "",
		strings.Repeat("x", 401):            strings.Repeat("x", 400) + "…",
		strings.Repeat("\u00e9", 400) + " ": strings.Repeat("\u00e9", 400),
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

// write appends to the console's file.
func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func wantLines(t *testing.T, c *console, want ...string) {
	t.Helper()
	got, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestConsole_Read(t *testing.T) {
	c := &console{path: filepath.Join(t.TempDir(), "console.log")}
	defer c.close()
	wantLines(t, c) // no file yet
	write(t, c.path, "one\r\n\r\ntwo")
	wantLines(t, c, "one", "two")
	write(t, c.path, " and a half\nlogin: ")
	wantLines(t, c, "two and a half", "login:")
	wantLines(t, c, "login:")
	write(t, c.path, "root\r10%\r20%\n\x1b[2J\x1b[1;1Hmenu\x1b[2;1Hentry\x1b[3")
	wantLines(t, c, "login: root", "10%", "20%", "menu", "entry")
	write(t, c.path, "1mred\x1b[0m\n")
	wantLines(t, c, "entryred")
	if got := c.tail(2); got != "menu\nentryred" {
		t.Errorf("tail %q", got)
	}
	if got := c.last(); got != "entryred" {
		t.Errorf("last %q", got)
	}
}

// TestConsole_Rotation moves the file away as libvirt's log daemon does when it has grown.
func TestConsole_Rotation(t *testing.T) {
	c := &console{path: filepath.Join(t.TempDir(), "console.log")}
	defer c.close()
	write(t, c.path, "first\n")
	wantLines(t, c, "first")
	write(t, c.path, "end of the old\nsplit ")
	if err := os.Rename(c.path, c.path+".0"); err != nil {
		t.Fatal(err)
	}
	write(t, c.path, "line\nnew\n")
	wantLines(t, c, "end of the old", "split line", "new")
}

func TestConsole_LongLinesAndFlood(t *testing.T) {
	c := &console{path: filepath.Join(t.TempDir(), "console.log")}
	defer c.close()
	write(t, c.path, strings.Repeat("x", 3*maxLineBytes))
	got, err := c.read()
	if err != nil || len(got) != 3 || len(c.partial) >= maxLineBytes {
		t.Errorf("%d lines, %d bytes kept, %v; want 3 pieces", len(got), len(c.partial), err)
	}
	f, err := os.OpenFile(c.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(maxConsoleBytes + 1); err != nil { // a hole reads as zeros: one endless line
		t.Fatal(err)
	}
	if _, err := c.read(); err != nil || !c.flooded() || len(c.lines) > keptLines {
		t.Errorf("flooded %t, %d lines kept, %v", c.flooded(), len(c.lines), err)
	}
}

func FuzzConsole(f *testing.F) {
	f.Add([]byte("boot\r\n\x1b[2J\x1b[1;1Hmenu\x1b]0;t\x07 login: "), 3)
	f.Add([]byte("\x1b[\x1b]\x1b(\xff\r\r\n"), 1)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		c := &console{}
		size = max(1, size%64)
		for chunk := range chunks(data, size) {
			c.take(chunk)
		}
		if len(c.partial) >= maxLineBytes || len(c.lines) > keptLines {
			t.Errorf("kept %d bytes and %d lines", len(c.partial), len(c.lines))
		}
		for _, line := range strings.Split(c.tail(keptLines+1), "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) || utf8.RuneCountInString(line) > maxShownRunes+1 {
				t.Errorf("line %q is not fit to be shown", line)
			}
		}
	})
}

func chunks(data []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			n := min(size, len(data))
			if !yield(bytes.Clone(data[:n])) {
				return
			}
			data = data[n:]
		}
	}
}

func TestBootedLine(t *testing.T) {
	for line, want := range map[string]bool{
		"web-01 login:":  true,
		"web-01 login: ": true,
		"[  OK  ] Reached target Multi-User System.":            true,
		"Reached target multi-user.target - Multi-U.":           true,
		"Reached target Graphical Interface.":                   true,
		"[  OK  ] Reached target getty.target - Login Prompts.": true,
		"systemd[1]: Startup finished in 2s (kernel)":           true,
		"Last login: Mon Nov 23":                                false,
		"Reached target Local File Systems.":                    false,
		"Welcome to Debian GNU/Linux 12 (bookworm)!":            false,
		"systemd-logind.service - User Login Management":        false,
	} {
		if got := bootedLine.MatchString(line); got != want {
			t.Errorf("%q: got %t, want %t", line, got, want)
		}
	}
}

func TestFailureSign(t *testing.T) {
	fatal := []string{
		"[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
		"VFS: Cannot open root device \"sda1\"",
		"ALERT!  /dev/sda1 does not exist.  Dropping to a shell!",
		"Gave up waiting for root file system device.  Common problems:",
		"Give up waiting for root device.",
		"(initramfs) ",
		"dracut:/# ",
		"Entering emergency mode. Exit the shell to continue.",
		"You are in emergency mode. After logging in, type \"journalctl -xb\"",
		"Welcome to rescue mode!",
		"Cannot open access to console, the root account is locked.",
		"grub rescue> ",
		"grub> ",
		"No bootable device.",
		"Boot failed: not a bootable disk",
		"BdsDxe: No bootable option or device was found.",
		"Shell> ",
		"UEFI Interactive Shell v2.2",
		"Missing operating system",
	}
	for _, line := range fatal {
		if failureSign(line) == "" {
			t.Errorf("%q does not count as a failure", line)
		}
	}
	fine := []string{
		"Gave up waiting for suspend/resume device",
		"BdsDxe: failed to load Boot0001 \"UEFI QEMU DVD-ROM\": Not Found",
		"Booting from Hard Disk...",
		"Begin: Running /scripts/init-premount ... done.",
		"Loading initial ramdisk ...",
		"[  OK  ] Started Emergency Shell cleanup",
		"Linux version 6.1 (initramfs) kernel",
		"psmouse: Shell>",
		"Please press Enter to activate this console.",
	}
	for _, line := range fine {
		if why := failureSign(line); why != "" {
			t.Errorf("%q counts as a failure: %s", line, why)
		}
	}
}

func TestParseAgentAddresses(t *testing.T) {
	answer := `{"return":[{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1"},{"ip-address":"::1"}]},
		{"name":"eth0","ip-addresses":[{"ip-address":"10.0.0.7"},{"ip-address":"fe80::1"},{"ip-address":"2001:db8::7"},{"ip-address":"$(reboot)"}]}]}`
	if diff := cmp.Diff([]string{"10.0.0.7", "2001:db8::7"}, parseAgentAddresses(answer)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	many := `{"return":[{"ip-addresses":[` + strings.Repeat(`{"ip-address":"10.0.0.1"},`, 99) + `{"ip-address":"10.0.0.2"}]}]}`
	if got := parseAgentAddresses(many); len(got) != maxAddresses {
		t.Errorf("%d addresses, want %d", len(got), maxAddresses)
	}
	for _, bad := range []string{"", "{", `{"return":7}`, `[]`} {
		if got := parseAgentAddresses(bad); got != nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}
