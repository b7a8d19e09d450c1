package vsphere

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// markKey is the extraConfig key of the mark that a clone carries.
const markKey = "hypersdk.clone"

// adoptWithin is how old, by vCenter's clock, a VM may be that a clone takes for its own. Later somebody may have taken it over, and a
// second resource of the same words must not get the first one's VM.
const adoptWithin = 24 * time.Hour

// mark is the hash of what was asked: who asks the same again within adoptWithin means the same VM. Secrets have no part in it.
func mark(spec CloneSpec, sourceUUID, folder string) (string, error) {
	text, err := json.Marshal(struct {
		Spec           CloneSpec
		Source, Folder string
	}{spec, sourceUUID, folder})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// marks are those of the clones that this client has made or is making, so that one run never takes one VM twice.
type marks struct {
	mu    sync.Mutex
	taken map[string]string // by mark: the moref value of the VM, empty while it is being made
}

func (m *marks) claim(mark, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.taken[mark]; taken {
		return sdk.WithHint(sdk.Conflictf("a clone with this name, folder and settings was asked for before in this run"),
			"two clones of %q are the same in every word; give one of them another name or folder", name)
	}
	if m.taken == nil {
		m.taken = map[string]string{}
	}
	m.taken[mark] = ""
	return nil
}

// made says which VM came of it.
func (m *marks) made(mark, vm string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken[mark] = vm
}

// release lets a clone be asked for again: there is none of it, or its VM was deleted.
func (m *marks) release(mark string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.taken, mark)
}

// releaseVM is release for one whose mark is not at hand.
func (m *marks) releaseVM(vm string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.taken, func(_, made string) bool { return made == vm })
}
