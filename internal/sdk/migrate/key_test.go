package migrate

import "testing"

func TestJobKey_DependsOnEachPart(t *testing.T) {
	base := JobKey("vc", "vm", "qemu:///system", "web")
	if again := JobKey("vc", "vm", "qemu:///system", "web"); again != base {
		t.Errorf("JobKey is not stable: %s, then %s", base, again)
	}
	for _, parts := range [][4]string{
		{"VC", "vm", "qemu:///system", "web"}, {"vc", "VM", "qemu:///system", "web"}, {"vc", "vm", "", "web"},
		{"vc", "vm", "qemu:///system", "web2"}, {"vcv", "m", "qemu:///system", "web"},
	} {
		if got := JobKey(parts[0], parts[1], parts[2], parts[3]); got == base {
			t.Errorf("JobKey(%q) is the same as for other parts", parts)
		}
	}
}

func TestDomainUUID_IsFixedForAKey(t *testing.T) {
	got := DomainUUID("0123456789abcdef0123456789abcdef")
	if got[14] != '5' {
		t.Errorf("DomainUUID = %s, want a version 5 UUID", got)
	}
	if got != DomainUUID("0123456789abcdef0123456789abcdef") {
		t.Errorf("DomainUUID = %s, want the same each time", got)
	}
}

func TestFileBase(t *testing.T) {
	for name, want := range map[string]string{
		"web-01":        "web-01",
		"web 01 ü":      "web 01 ü",
		"a%2fb":         "a-b",
		"50%25":         "50%",
		"../../etc/pwd": "etc-pwd",
		".hidden":       "hidden",
		"a\nb\x00":      "a-b-",
		"...":           "",
		"--rm":          "rm",
	} {
		got := fileBase(name)
		if got != want {
			t.Errorf("fileBase(%q) = %q, want %q", name, got, want)
		}
	}
}
