package demo

import (
	"sync"
	"time"
)

// Faults are what goes wrong on purpose. They can be changed while the vCenter runs.
type Faults struct {
	BytesPerSec  int64         // of each NFC transfer; 0: as fast as it goes
	CutAfter     int64         // cut the connection of a disk after so many bytes …
	CutTimes     int           // … for the first so many transfers; 0: for each
	LeaseTimeout time.Duration // without progress the lease ends; 0: 5 minutes
	LeaseDelay   time.Duration // a lease stays initializing for so long
	LoseLeaseAt  int64         // end the lease (error state) once, when so many bytes were served in all; 0: never
	Truncate     int64         // serve only so many bytes of a disk and then end the transfer cleanly; 0: never
	Garbage      bool          // serve noise instead of a VMDK
	FailProgress int           // refuse the first so many HttpNfcLeaseProgress calls
}

const defaultLeaseTimeout = 5 * time.Minute

func (f Faults) leaseTimeout() time.Duration {
	if f.LeaseTimeout > 0 {
		return f.LeaseTimeout
	}
	return defaultLeaseTimeout
}

// faultState is the faults in force and how often each has happened since they were set.
type faultState struct {
	mu       sync.Mutex
	now      Faults
	happened struct {
		cuts, refusals int
		served         int64
		lost           bool
	}
}

func (s *faultState) set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = f
	s.happened.cuts, s.happened.refusals, s.happened.served, s.happened.lost = 0, 0, 0, false
}

func (s *faultState) get() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// cut says whether a transfer that has sent so many bytes is to be cut now.
func (s *faultState) cut(sent int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.CutAfter <= 0 || sent < s.now.CutAfter {
		return false
	}
	if s.now.CutTimes > 0 && s.happened.cuts >= s.now.CutTimes {
		return false
	}
	s.happened.cuts++
	return true
}

// loseLease counts n more bytes served and says whether they cost the lease.
func (s *faultState) loseLease(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.happened.served += n
	if s.now.LoseLeaseAt <= 0 || s.happened.lost || s.happened.served < s.now.LoseLeaseAt {
		return false
	}
	s.happened.lost = true
	return true
}

// refuseProgress says whether this HttpNfcLeaseProgress call fails.
func (s *faultState) refuseProgress() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.happened.refusals >= s.now.FailProgress {
		return false
	}
	s.happened.refusals++
	return true
}
