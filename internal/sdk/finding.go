package sdk

// Severity of a Finding.
type Severity string

// The severities, worst first. Critical findings stop a migration unless their id is ignored.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Finding is one statement about a source, a target or a guest, made before or during a migration.
type Finding struct {
	ID       string   `json:"id"` // dotted and stable: "source.snapshot.present"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`   // what is so, naming the thing
	Action   string   `json:"action"` // what to do about it
}

// Worse says whether severity a is worse than b.
func (a Severity) Worse(b Severity) bool { return severityRank[a] > severityRank[b] }

var severityRank = map[Severity]int{Info: 1, Warning: 2, Critical: 3}
