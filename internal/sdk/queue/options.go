package queue

import (
	"crypto/tls"
	"log/slog"
	"regexp"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Options say where the queue is kept and how it behaves. Exactly one of Dir and URL is required; the zero value of the rest
// is good. All nodes of one queue should use the same PerSource and PerTarget.
type Options struct {
	Embedded
	External

	Namespace string // sets several queues of one cluster apart; letters, digits, dash and underscore; empty: hypersdk
	Replicas  int    // copies of every record in a cluster: 1, 3 or 5; 0: 1. An embedded server has one

	// AckWait is how long a job waits for a silent worker before it goes elsewhere; 0: 30 s. A worker that could not renew for
	// two thirds of it stops its job.
	AckWait       time.Duration
	MaxDeliveries int           // workers a job may lose in a row before it fails; 0: 5
	PerSource     int           // running jobs at once with the same Limits.Source; 0: no limit
	PerTarget     int           // running jobs at once with the same Limits.Target; 0: no limit
	MaxLive       int           // pending and running jobs beyond which Submit refuses; 0: 10,000
	KeepFor       time.Duration // ended jobs and their logs; 0: 30 days
	KeepNumber    int           // ended jobs, the latest; 0: 10,000
	StateBytes    int64         // of all records on disk; 0: 1 GiB. When it is full, writes are refused, nothing is lost
	LogBytes      int64         // of all logs on disk; 0: 1 GiB. When it is full, the oldest lines go

	// Outbox keeps a note of every job's end until OnEnd has told of it; set it on all nodes, and call OnEnd on at least one.
	Outbox bool

	Tick   time.Duration    // how often schedules, windows and leases are looked at; 0: 1 s
	Now    func() time.Time // the wall clock of schedules, windows and retention; nil: time.Now. No lease depends on it
	Logger *slog.Logger     // nil: silent
}

// Embedded keeps the queue in this process, on its own disk. No port is opened unless Listen is set.
type Embedded struct {
	Dir string // made with mode 0700; one process at a time

	// Listen lets workers on other machines join: host:port. Beyond loopback it needs ListenToken and ListenTLS.
	Listen      string
	ListenToken string // what a worker must show (External.Token)
	ListenTLS   *tls.Config
}

// External keeps the queue in a NATS cluster (2.12 or later, JetStream on, its store with sync: always for power loss).
type External struct {
	URL         string      // nats:// or tls://, several separated by commas; without user information
	Credentials string      // path of a .creds file
	NKey        string      // path of an nkey seed
	Token       string      // the token of Embedded.ListenToken
	TLS         *tls.Config // nil: the system's roots for tls://
}

var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func (o *Options) defaults() error {
	set(&o.Namespace, "hypersdk")
	set(&o.Replicas, 1)
	set(&o.AckWait, 30*time.Second)
	set(&o.MaxDeliveries, 5)
	set(&o.MaxLive, 10_000)
	set(&o.KeepFor, 30*24*time.Hour)
	set(&o.KeepNumber, 10_000)
	set(&o.StateBytes, 1<<30)
	set(&o.LogBytes, 1<<30)
	set(&o.Tick, time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case (o.Dir == "") == (o.URL == ""):
		return sdk.Invalidf("a queue needs either a directory or the URL of a NATS cluster")
	case !namespacePattern.MatchString(o.Namespace):
		return sdk.Invalidf("namespace %q: letters, digits, dash and underscore, at most 32", o.Namespace)
	case o.Replicas != 1 && o.Replicas != 3 && o.Replicas != 5 || o.Dir != "" && o.Replicas != 1:
		return sdk.Invalidf("%d replicas: 1, 3 or 5 in a cluster, 1 in an embedded server", o.Replicas)
	case o.AckWait < minAckWait:
		return sdk.Invalidf("ack-wait %s: at least %s", o.AckWait, minAckWait)
	case o.MaxDeliveries < 1, o.PerSource < 0, o.PerTarget < 0, o.MaxLive < 1, o.KeepNumber < 1, o.KeepFor < 0:
		return sdk.Invalidf("a limit of the queue is negative")
	}
	return nil
}

// minAckWait leaves a worker time to renew three times.
const minAckWait = 150 * time.Millisecond

func set[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}
