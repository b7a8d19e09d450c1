package job

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Bounds of what a caller may put into a record.
const (
	MaxBodyBytes   = 256 << 10
	MaxResultBytes = 256 << 10
	maxNameBytes   = 256
	maxKeyBytes    = 256
	maxLabels      = 32
)

var (
	kindPattern  = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	labelPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$`)
)

// Validate checks the spec's shape, its bounds, and that its body holds no secret: an ErrInvalid names what is wrong.
func (s *Spec) Validate() error {
	switch {
	case !kindPattern.MatchString(s.Kind):
		return sdk.Invalidf("kind %q: lower-case letters, digits, dash, dot and underscore, at most 64", s.Kind)
	case s.Priority < -100 || s.Priority > 100:
		return sdk.Invalidf("priority %d: it is between -100 and 100", s.Priority)
	case s.MaxRetries < 0 || s.MaxRetries > 20:
		return sdk.Invalidf("max_retries %d: it is between 0 and 20", s.MaxRetries)
	case len(s.Body) > MaxBodyBytes:
		return sdk.Invalidf("spec of %d bytes: at most %d", len(s.Body), MaxBodyBytes)
	case len(s.Body) > 0 && !json.Valid(s.Body):
		return sdk.Invalidf("spec is not JSON")
	}
	for what, text := range map[string]string{"name": s.Name, "submitted_by": s.SubmittedBy, "key": s.Key,
		"limits.source": s.Limits.Source, "limits.target": s.Limits.Target} {
		if err := checkText(what, text); err != nil {
			return err
		}
	}
	if err := checkLabels("placement", s.Placement); err != nil {
		return err
	}
	if err := checkLabels("labels", s.Labels); err != nil {
		return err
	}
	if s.Window != nil {
		if err := s.Window.Validate(); err != nil {
			return err
		}
	}
	return CheckSecrets(s.Body)
}

// ValidName says whether name can be a schedule's or a worker's.
func ValidName(name string) bool { return namePattern.MatchString(name) }

func checkText(what, text string) error {
	switch {
	case len(text) > max(maxNameBytes, maxKeyBytes):
		return sdk.Invalidf("%s of %d bytes: at most %d", what, len(text), maxNameBytes)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return sdk.Invalidf("%s %q is not text", what, text)
	case Redact(text) != text:
		return secretErr(what)
	}
	return nil
}

func checkLabels(what string, labels map[string]string) error {
	if len(labels) > maxLabels {
		return sdk.Invalidf("%d %s: at most %d", len(labels), what, maxLabels)
	}
	for name, value := range labels {
		if !labelPattern.MatchString(name) {
			return sdk.Invalidf("%s: %q is not a label: letters, digits, dot, dash, slash and underscore, at most 63", what, name)
		}
		if err := checkText(what+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}
