package vsphere

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
)

// CloudInit is handed to cloud-init's VMware data source through guestinfo (docs.cloud-init.io, "VMware").
type CloudInit struct {
	Metadata string `json:"metadata,omitempty"` // YAML or JSON
	UserData Secret `json:"userdata,omitempty"`
}

const (
	gzipBase64 = "gzip+base64"

	// redacted is what cloud-init leaves in place of a text that it was told to remove once it is read (cleanup-guestinfo).
	redacted = "---"

	maxGuestInfo = 16 << 20 // bytes of one decoded text; vSphere itself takes far less
)

// options is what cloud-init's VMware data source reads: gzip and base64 keep any text whole.
func (ci *CloudInit) options() (map[string]string, error) {
	options := map[string]string{}
	if ci == nil {
		return options, nil
	}
	for name, text := range map[string]string{"metadata": ci.Metadata, "userdata": string(ci.UserData)} {
		if text == "" {
			continue
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		options["guestinfo."+name] = base64.StdEncoding.EncodeToString(b.Bytes())
		options["guestinfo."+name+".encoding"] = gzipBase64
	}
	return options, nil
}

// HeldMetadata is the metadata that the VM's guestinfo holds, decoded; empty: none. It is false when the guest has redacted it, as
// cleanup-guestinfo asks of it: then nobody can tell what it was.
func (vm *VM) HeldMetadata() (text string, told bool) { return vm.guestinfo("metadata") }

// HeldUserData is the same of the user data.
func (vm *VM) HeldUserData() (text Secret, told bool) {
	held, told := vm.guestinfo("userdata")
	return Secret(held), told
}

// guestinfo decodes a text; one that cannot be decoded is given as it stands.
func (vm *VM) guestinfo(name string) (text string, told bool) {
	text = vm.ExtraConfig["guestinfo."+name]
	if text == redacted {
		return "", false
	}
	var source io.Reader = bytes.NewReader([]byte(text))
	var err error
	switch vm.ExtraConfig["guestinfo."+name+".encoding"] {
	case gzipBase64, "gz+b64":
		if source, err = gzip.NewReader(base64.NewDecoder(base64.StdEncoding, source)); err != nil {
			return text, true
		}
	case "base64", "b64":
		source = base64.NewDecoder(base64.StdEncoding, source)
	default:
		return text, true
	}
	decoded, err := io.ReadAll(io.LimitReader(source, maxGuestInfo))
	if err != nil {
		return text, true
	}
	return string(decoded), true
}
