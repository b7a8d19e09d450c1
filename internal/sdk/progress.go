package sdk

// Progress is one report of long work. Reports of one Stage and Item come in order and the last one (Done == Total, or a
// terminal Status) always comes.
type Progress struct {
	Stage   string // pipeline stage: "export", "fix", …
	Item    string // the disk or VM the report is about; empty: the stage itself
	Status  Status // of the stage or item; empty means running
	Done    int64  // in Unit
	Total   int64  // in Unit; 0: not known
	Unit    string // "bytes", "percent", or empty for none
	Wire    int64  // bytes received so far, when Unit is bytes of disk covered
	Message string // one short line for a person, may be empty
}

// ProgressFunc receives reports. It may be called from several goroutines at once and must not block.
type ProgressFunc func(Progress)

// Report calls f when there is one.
func (f ProgressFunc) Report(p Progress) {
	if f != nil {
		f(p)
	}
}

// Status is the one vocabulary for jobs and stages.
type Status string

// The statuses of jobs and stages. Skipped is for stages only; Interrupted is the Terraform resource's alone.
const (
	Pending     Status = "pending"
	Running     Status = "running"
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"
	Canceled    Status = "canceled"
	Skipped     Status = "skipped"
	Interrupted Status = "interrupted"
)
