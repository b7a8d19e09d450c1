package vsphere

import "testing"

func TestCloudInit_HeldIsWhatWasHandedOver(t *testing.T) {
	given := CloudInit{Metadata: "instance-id: ü", UserData: "#cloud-config\n"}
	options, err := given.options()
	if err != nil {
		t.Fatal(err)
	}
	vm := VM{ExtraConfig: options}
	metadata, told := vm.HeldMetadata()
	userdata, toldToo := vm.HeldUserData()
	if metadata != given.Metadata || userdata != given.UserData || !told || !toldToo {
		t.Errorf("holds %q and %q (%v, %v), want %+v", metadata, string(userdata), told, toldToo, given)
	}
}

func TestCloudInit_HeldInAnyEncoding(t *testing.T) {
	for name, tt := range map[string]struct {
		text, encoding, want string
		told                 bool
	}{
		"plain":                                {"a: b", "", "a: b", true},
		"base64":                               {"YTogYg==", "base64", "a: b", true},
		"its short name":                       {"YTogYg==", "b64", "a: b", true},
		"not base64":                           {"a: b!", "base64", "a: b!", true},
		"not gzip":                             {"YTogYg==", "gzip+base64", "YTogYg==", true},
		"nothing":                              {"", "", "", true},
		"redacted":                             {"---", "", "", false},
		"redacted, and its encoding forgotten": {"---", "gzip+base64", "", false},
	} {
		vm := VM{ExtraConfig: map[string]string{"guestinfo.metadata": tt.text, "guestinfo.metadata.encoding": tt.encoding}}
		if got, told := vm.HeldMetadata(); got != tt.want || told != tt.told {
			t.Errorf("%s: got %q %v, want %q %v", name, got, told, tt.want, tt.told)
		}
	}
}
