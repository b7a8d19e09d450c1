package vsphere

import (
	"crypto/sha1" //nolint:gosec // vCenter's own thumbprints are SHA-1; the user may pin by one
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// trust decides about server certificates: by the system's roots, a CA file, one pinned leaf, or not at all.
type trust struct {
	roots    *x509.CertPool // nil: the system's
	pin      string         // hex, lower case, no colons
	insecure bool
}

func newTrust(cfg Config) (trust, error) {
	t := trust{insecure: cfg.Insecure}
	if cfg.Thumbprint != "" {
		pin, err := normalThumbprint(cfg.Thumbprint)
		if err != nil {
			return trust{}, err
		}
		t.pin = pin
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return trust{}, sdk.Kind(sdk.ErrInvalid, fmt.Errorf("read CA file: %w", err))
		}
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(pem) {
			return trust{}, sdk.Invalidf("CA file %s has no PEM certificate", cfg.CAFile)
		}
	}
	return t, nil
}

func normalThumbprint(s string) (string, error) {
	hexDigits := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
	raw, err := hex.DecodeString(hexDigits)
	if err != nil || (len(raw) != sha1.Size && len(raw) != sha256.Size) {
		return "", sdk.WithHint(sdk.Invalidf("thumbprint %q is neither SHA-256 nor SHA-1", s),
			"it has 64 or 40 hexadecimal digits, colons optional")
	}
	return hexDigits, nil
}

// config is a TLS configuration for connections to host that also accepts the given thumbprints, which the caller learned
// over a connection it trusts already.
func (t trust) config(host string, pins ...string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection below verifies, and knows pins, which the default does not
		VerifyConnection: func(cs tls.ConnectionState) error {
			return t.verify(host, cs.PeerCertificates, pins)
		},
	}
}

func (t trust) verify(host string, chain []*x509.Certificate, pins []string) error {
	if t.insecure {
		return nil
	}
	if len(chain) == 0 {
		return &untrustedError{host: host, cause: errors.New("no certificate")}
	}
	leaf := chain[0]
	for _, pin := range pins {
		if pinned(leaf, pin) {
			return nil
		}
	}
	if t.pin != "" {
		if pinned(leaf, t.pin) {
			return nil
		}
		return &untrustedError{host: host, thumbprint: thumbprint(leaf), cause: errors.New("the thumbprint is another")}
	}
	opts := x509.VerifyOptions{DNSName: host, Roots: t.roots, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(opts); err != nil {
		return &untrustedError{host: host, thumbprint: thumbprint(leaf), cause: err}
	}
	return nil
}

func pinned(leaf *x509.Certificate, pin string) bool {
	pin = strings.ToLower(strings.ReplaceAll(pin, ":", ""))
	if len(pin) == 2*sha1.Size {
		sum := sha1.Sum(leaf.Raw) //nolint:gosec // see the import
		return hex.EncodeToString(sum[:]) == pin
	}
	sum := sha256.Sum256(leaf.Raw)
	return hex.EncodeToString(sum[:]) == pin
}

// thumbprint is the SHA-256 of a certificate as people compare it: upper case, colons.
func thumbprint(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// untrustedError says that a server's certificate is not one the user trusts.
type untrustedError struct {
	host, thumbprint string
	cause            error
}

func (e *untrustedError) Error() string {
	return fmt.Sprintf("the certificate of %s is not trusted: %v", e.host, e.cause)
}

func (e *untrustedError) Unwrap() error { return e.cause }
