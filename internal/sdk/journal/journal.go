package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	recordFile = "journal.json"
	lockFile   = "journal.lock"
	// heartbeat is how often a living owner says so; a record whose owner is on another host and has been silent for
	// staleAfter may be taken over.
	heartbeat  = 10 * time.Second
	staleAfter = 2 * time.Minute
)

// Record is the whole of a job's memory.
type Record struct {
	Version   int                        `json:"version"`
	Key       string                     `json:"key"` // of the job
	CreatedAt time.Time                  `json:"created_at"`
	UpdatedAt time.Time                  `json:"updated_at"`
	Owner     Owner                      `json:"owner"`
	Stages    map[string]Stage           `json:"stages"`
	Sections  map[string]json.RawMessage `json:"sections"`
}

// Owner is the process that drives the job.
type Owner struct {
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	Heartbeat time.Time `json:"heartbeat"`
}

// Stage is the record of one pipeline stage.
type Stage struct {
	Status    sdk.Status `json:"status"`
	Inputs    string     `json:"inputs"` // hash of what it was asked to do
	StartedAt time.Time  `json:"started_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
	Error     string     `json:"error,omitempty"`
}

// Journal is an owned, open record.
type Journal struct {
	dir  string
	lock *os.File

	mu     sync.Mutex
	record Record

	once sync.Once // Close
	stop chan struct{}
	done chan struct{}
}

// Open makes dir when it is missing (0711: a QEMU under its own user must reach overlays in it by name), takes ownership and
// reads the record, or starts one for key. Another live owner is sdk.ErrConflict; a record of another key is sdk.ErrConflict
// too; one that cannot be parsed is sdk.ErrInvalid.
func Open(dir, key string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make journal directory: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, lock: lock, stop: make(chan struct{}), done: make(chan struct{})}
	if err := j.load(key); err != nil {
		_ = lock.Close()
		return nil, err
	}
	go j.beat()
	return j, nil
}

func takeLock(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal lock: %w", err)
	}
	taken, err := tryLock(lock)
	if taken {
		_ = lock.Close()
		owner := "another process"
		if r, err := Read(dir); err == nil {
			owner = fmt.Sprintf("process %d on %s", r.Owner.PID, r.Owner.Host)
		}
		return nil, sdk.WithHint(sdk.Conflictf("this job is being driven by %s", owner),
			"wait for it to end, or end it; the journal is in %s", dir)
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock journal in %s: %w", dir, err)
	}
	return lock, nil
}

func (j *Journal) load(key string) error {
	host, _ := os.Hostname()
	now := time.Now().UTC()
	rec, err := Read(j.dir)
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		rec = &Record{Version: 1, Key: key, CreatedAt: now}
	case err != nil:
		return err
	case rec.Key != key:
		return sdk.WithHint(sdk.Conflictf("the journal in %s belongs to another job (%s)", j.dir, rec.Key),
			"use another directory, or remove this one when that job is no longer wanted")
	case rec.Owner.Host != host && rec.Owner.PID != 0 && now.Sub(rec.Owner.Heartbeat) < staleAfter:
		return sdk.WithHint(sdk.Conflictf("this job is being driven by process %d on %s", rec.Owner.PID, rec.Owner.Host),
			"wait %s after that process ended, then try again", staleAfter)
	}
	j.record = *rec
	j.record.Owner = Owner{Host: host, PID: os.Getpid(), Heartbeat: now}
	return j.write()
}

// Read returns the record in dir without owning it. A missing one is sdk.ErrNotFound.
func Read(dir string) (*Record, error) {
	data, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, sdk.NotFoundf("no journal in %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	var rec Record
	if err := json.Unmarshal(data, &rec); err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("the journal in %s cannot be read: %v", dir, err),
			"remove the directory to start the job anew")
	}
	if rec.Version != 1 {
		return nil, sdk.Invalidf("the journal in %s has version %d; this program knows version 1", dir, rec.Version)
	}
	return &rec, nil
}

// Dir is where the record lies.
func (j *Journal) Dir() string { return j.dir }

// Stage returns the record of a stage; the zero Stage when there is none.
func (j *Journal) Stage(name string) Stage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record.Stages[name]
}

// SetStage records a stage durably.
func (j *Journal) SetStage(name string, s Stage) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.record.Stages == nil {
		j.record.Stages = map[string]Stage{}
	}
	j.record.Stages[name] = s
	return j.write()
}

// Forget makes stages that had succeeded pending again, in one durable write: an earlier stage is about to run anew.
func (j *Journal) Forget(names ...string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	changed := false
	for _, name := range names {
		if s, ok := j.record.Stages[name]; ok && s.Status == sdk.Succeeded {
			s.Status = sdk.Pending
			j.record.Stages[name] = s
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return j.write()
}

// Get decodes a section into v and says whether there was one.
func (j *Journal) Get(section string, v any) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record.Get(section, v)
}

// Get decodes a section into v and says whether there was one.
func (r *Record) Get(section string, v any) (bool, error) {
	raw, ok := r.Sections[section]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, sdk.Invalidf("journal section %q: %v", section, err)
	}
	return true, nil
}

// Put records a section durably.
func (j *Journal) Put(section string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("journal section %q: %w", section, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.record.Sections == nil {
		j.record.Sections = map[string]json.RawMessage{}
	}
	old, had := j.record.Sections[section]
	j.record.Sections[section] = raw
	err = j.write()
	switch {
	case err == nil:
	case had:
		j.record.Sections[section] = old
	default:
		delete(j.record.Sections, section)
	}
	return err
}

// Close gives up ownership; the record stays. A second Close does nothing.
func (j *Journal) Close() error {
	var err error
	j.once.Do(func() { err = j.close() })
	return err
}

func (j *Journal) close() error {
	close(j.stop)
	<-j.done
	j.mu.Lock()
	defer j.mu.Unlock()
	j.record.Owner = Owner{}
	err := j.write()
	if cerr := j.lock.Close(); err == nil {
		err = cerr
	}
	return err
}

// Remove gives up ownership and removes the whole directory.
func (j *Journal) Remove() error {
	if err := j.Close(); err != nil {
		return err
	}
	return os.RemoveAll(j.dir)
}

func (j *Journal) beat() {
	defer close(j.done)
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-tick.C:
			j.mu.Lock()
			j.record.Owner.Heartbeat = time.Now().UTC()
			_ = j.write() // a full disk shows at the next real write
			j.mu.Unlock()
		}
	}
}

// write must be called with mu held, or before the journal is shared.
func (j *Journal) write() error {
	j.record.UpdatedAt = time.Now().UTC()
	data, err := json.MarshalIndent(&j.record, "", "  ")
	if err != nil {
		return fmt.Errorf("encode journal: %w", err)
	}
	if err := WriteFile(filepath.Join(j.dir, recordFile), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Delete removes a section durably.
func (j *Journal) Delete(section string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.record.Sections, section)
	return j.write()
}

// Owned says whether a living process on this host holds the journal in dir.
func Owned(dir string) bool {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer lock.Close() //nolint:errcheck // closing frees the lock
	taken, err := tryLock(lock)
	return err == nil && taken
}
