package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const redacted = "[redacted]"

// secretWords is how the names of secrets end or begin: admin_password, apiKey, X-Auth-Token, product_key, client_secret.
const secretWords = `pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api[_-]?key|private[_-]?key|access[_-]?key|product[_-]?key|session[_-]?id|cookie|authorization`

var (
	secretName = regexp.MustCompile(`(?i)(?:^|[_.-]|[a-z])(?:` + secretWords + `|userdata)$`)
	// Which names end like a secret's and hold none.
	plainName = regexp.MustCompile(`(?i)^(?:bypass|compass|change_token)$`)

	redactions = []struct {
		find *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), redacted},
		{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@`), "${1}:" + redacted + "@"},
		{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`), redacted},
		{regexp.MustCompile(`(?i)([A-Za-z0-9_.-]*(?:` + secretWords + `)["']?\s*[=:]\s*)"(?:[^"\\]|\\.)*"`), `${1}"` + redacted + `"`},
		{regexp.MustCompile(`(?i)([A-Za-z0-9_.-]*(?:` + secretWords + `)["']?\s*[=:]\s*)'[^']*'`), `${1}'` + redacted + `'`},
		{regexp.MustCompile(`(?i)([A-Za-z0-9_.-]*(?:` + secretWords + `)["']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s"',;&\[\]{}]+`), "${1}" + redacted},
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`), "${1} " + redacted},
		{regexp.MustCompile(`(?i)(--?[A-Za-z0-9-]*(?:` + secretWords + `)\s+)[^\s"',;&\[\]-][^\s"',;&]*`), "${1}" + redacted},
	}
)

// Redact takes out of text what looks like a secret: passwords in URLs, values of password-like names, bearer tokens, private
// keys. It is the last net under text that comes from elsewhere; what we write ourselves has no secret in it to begin with.
func Redact(text string) string {
	for _, r := range redactions {
		text = r.find.ReplaceAllString(text, r.with)
	}
	return text
}

// CheckSecrets refuses a JSON body with a secret in it: an ErrInvalid names the key and never the value.
func CheckSecrets(body []byte) error {
	if len(body) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return sdk.Invalidf("spec is not JSON: %w", err)
	}
	return findSecret("spec", v)
}

func findSecret(path string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			if secretKey(name) && !empty(child) {
				return secretErr(path + "." + name)
			}
			if err := findSecret(path+"."+name, child); err != nil {
				return err
			}
		}
	case []any:
		for i, child := range v {
			if err := findSecret(fmt.Sprintf("%s[%d]", path, i), child); err != nil {
				return err
			}
		}
	case string:
		if Redact(v) != v {
			return secretErr(path)
		}
	}
	return nil
}

func secretKey(name string) bool {
	return secretName.MatchString(name) && !plainName.MatchString(strings.TrimSpace(name))
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil, bool:
		return true
	case string:
		return v == "" || v == redacted
	}
	return false
}

func secretErr(path string) error {
	return sdk.WithHint(sdk.Invalidf("%s holds a secret: a job's record is kept on disk and shown to others", path),
		"give the worker the secret in its configuration and name it in the job, or do this without a job")
}

// RedactJSON is data with the secrets in it replaced. What is not JSON is replaced as a whole.
func RedactJSON(data []byte) []byte {
	if CheckSecrets(data) == nil {
		return data
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return []byte(`"` + redacted + `"`)
	}
	out, _ := json.Marshal(redactValue(v)) // what was decoded encodes
	return out
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			if secretKey(name) && !empty(child) {
				v[name] = redacted
			} else {
				v[name] = redactValue(child)
			}
		}
	case []any:
		for i, child := range v {
			v[i] = redactValue(child)
		}
	case string:
		return Redact(v)
	}
	return v
}
