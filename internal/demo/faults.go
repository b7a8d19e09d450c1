package demo

import (
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
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
	FailREST     int           // answer the first so many calls of the REST service …
	RESTStatus   int           // … with this status; 0: 503
	LeaveDeltas  bool          // a snapshot's removal cannot merge its disks, as when a backup holds them: consolidation is needed

	CloneDelay        time.Duration         // a clone task takes so long before it copies, and can be cancelled in that time
	FailClone         types.BaseMethodFault // a clone task ends with it and makes nothing
	FailPowerOn       types.BaseMethodFault // a clone task that powers on ends with it; the VM stays, off
	FailCustomization string                // the customization of a guest fails and says so
	BootTime          time.Duration         // after power-on a clone's guest has addresses; 0: 50 ms
	Unavailable       int                   // answer the first so many SOAP calls with HTTP 503 …
	UnavailableMethod string                // … of this method; empty: of any
	LoseAnswers       int                   // cut the connection behind the first so many calls that were carried out …
	LoseAnswerMethod  string                // … of this method; empty: of any
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
		cuts, refusals, rest int
		served               int64
		lost                 bool
		unavailable, answers int
	}
}

func (s *faultState) set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = f
	s.happened.cuts, s.happened.refusals, s.happened.rest, s.happened.served, s.happened.lost = 0, 0, 0, 0, false
	s.happened.unavailable, s.happened.answers = 0, 0
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

// refuseREST is the status that this call of the REST service fails with; 0: none.
func (s *faultState) refuseREST() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.happened.rest >= s.now.FailREST {
		return 0
	}
	s.happened.rest++
	if s.now.RESTStatus != 0 {
		return s.now.RESTStatus
	}
	return 503
}

// unavailable says whether this call is answered with 503.
func (s *faultState) unavailable(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.happened.unavailable >= s.now.Unavailable || s.now.UnavailableMethod != "" && s.now.UnavailableMethod != method {
		return false
	}
	s.happened.unavailable++
	return true
}

// loseAnswer says whether the answer of this call is cut off.
func (s *faultState) loseAnswer(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.happened.answers >= s.now.LoseAnswers || s.now.LoseAnswerMethod != "" && s.now.LoseAnswerMethod != method {
		return false
	}
	s.happened.answers++
	return true
}
