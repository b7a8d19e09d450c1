package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// The values of MailSpec.Security.
const (
	SecuritySTARTTLS = "starttls" // required: no TLS, no mail; the default
	SecurityTLS      = "tls"      // from the first byte on
	SecurityNone     = "none"     // to this machine only, without a password
)

// mailTimeout bounds one conversation with the server.
const mailTimeout = 30 * time.Second

// MailSpec is where mail goes. Host, From and To are required.
type MailSpec struct {
	Filter
	Host     string
	Port     int    // 0: 587 for starttls, 465 for tls, 25 for none
	Security string // starttls, tls or none
	Username string // empty: no login
	Password string
	From     string // "HyperSDK <hypersdk@example.com>" or a bare address
	To       []string
	// Link is the dashboard's address for the reader, such as https://hypersdk.example.com; empty: no link.
	Link string
	TLS  *tls.Config // nil: the system's roots
}

// Mail makes a sink that sends mail. It does not connect; an ErrInvalid names what is wrong with the spec. The sink's errors:
// ErrUnavailable when another try may help, ErrDenied when the server refuses us, ErrInvalid when it refuses the message.
func Mail(s MailSpec) (Sink, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if _, err := s.message(&job.Job{}); err != nil {
		return nil, err
	}
	return func(ctx context.Context, j *job.Job) error {
		if !s.wants(j) {
			return nil
		}
		message, err := s.message(j)
		if err != nil {
			return err
		}
		return s.send(ctx, message)
	}, nil
}

func (s *MailSpec) send(ctx context.Context, message *mail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, 2*mailTimeout)
	defer cancel()
	// go-mail 0.8 leaves the connection open when the server offers no STARTTLS, so it is ours to close.
	var conn net.Conn
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		if err != nil || s.Security != SecurityTLS {
			return conn, err
		}
		encrypted := tls.Client(conn, s.tls())
		return encrypted, encrypted.HandshakeContext(ctx)
	}
	client, err := mail.NewClient(s.Host, append(s.options(), mail.WithDialContextFunc(dial))...)
	if err != nil {
		return sdk.Invalidf("mail server %s: %w", s.Host, err)
	}
	err = client.DialAndSendWithContext(ctx, message)
	if conn != nil {
		_ = conn.Close()
	}
	return s.kind(err)
}

// tls is the configuration for this server.
func (s *MailSpec) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = s.Host
	}
	return config
}

func (s *MailSpec) validate() error {
	if s.Security == "" {
		s.Security = SecuritySTARTTLS
	}
	if err := s.Filter.validate(); err != nil {
		return err
	}
	switch {
	case s.Host == "":
		return sdk.Invalidf("mail needs the host of an SMTP server")
	case s.Port < 0 || s.Port > 65535:
		return sdk.Invalidf("port %d of mail server %s: it is between 1 and 65535", s.Port, s.Host)
	case s.Security != SecuritySTARTTLS && s.Security != SecurityTLS && s.Security != SecurityNone:
		return sdk.Invalidf("security %q of mail server %s: starttls, tls or none", s.Security, s.Host)
	case s.Security == SecurityNone && !loopback(s.Host):
		return sdk.WithHint(sdk.Invalidf("mail to %s would go out without encryption", s.Host), "use starttls, or a relay on this machine")
	case s.Security == SecurityNone && s.Password != "":
		return sdk.Invalidf("the mail server's password would go out without encryption")
	case (s.Username == "") != (s.Password == ""):
		return sdk.Invalidf("a mail server's login needs both a user name and a password")
	case len(s.To) == 0:
		return sdk.Invalidf("mail needs a recipient")
	}
	return nil
}

func (s *MailSpec) options() []mail.Option {
	opts := []mail.Option{mail.WithTimeout(mailTimeout)}
	port := s.Port
	switch s.Security {
	case SecurityTLS:
		opts = append(opts, mail.WithSSL())
		port = orDefault(port, mail.DefaultPortSSL)
	case SecurityNone:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
		port = orDefault(port, mail.DefaultPort)
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
		port = orDefault(port, mail.DefaultPortTLS)
	}
	opts = append(opts, mail.WithPort(port), mail.WithTLSConfig(s.tls()))
	if s.Username != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.Username), mail.WithPassword(s.Password))
	}
	return opts
}

func orDefault(port, fallback int) int {
	if port == 0 {
		return fallback
	}
	return port
}

func (s *MailSpec) message(j *job.Job) (*mail.Msg, error) {
	m := mail.NewMsg()
	if err := m.From(s.From); err != nil {
		return nil, sdk.Invalidf("mail from %q: %w", s.From, err)
	}
	if err := m.To(s.To...); err != nil {
		return nil, sdk.Invalidf("mail to %s: %w", strings.Join(s.To, ", "), err)
	}
	m.Subject("[hypersdk] " + title(j))
	m.SetDate()
	// The same end has the same id, so that a mail that is sent twice shows as one.
	m.SetMessageIDWithValue(fmt.Sprintf("%s.%d@hypersdk", j.ID, j.Attempts))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies
	m.SetBodyString(mail.TypeTextPlain, s.body(j))
	return m, nil
}

func (s *MailSpec) body(j *job.Job) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name+":", printable(text))
		}
	}
	fmt.Fprintf(&b, "%s\n\n", title(j))
	line("Job", j.ID)
	line("Source", j.Limits.Source)
	line("Target", j.Limits.Target)
	line("Worker", j.Worker)
	line("Schedule", j.Schedule)
	line("Asked by", j.SubmittedBy)
	line("Ended", j.Ended.UTC().Format("2006-01-02 15:04:05 UTC"))
	if d := took(j); d > 0 {
		line("Took", d.String())
	}
	if j.Cancel != nil {
		line("Canceled", strings.TrimSpace("by "+j.Cancel.By+" "+j.Cancel.Reason))
	}
	if j.Error != nil {
		b.WriteByte('\n')
		line("Error", j.Error.Text)
		for _, name := range slices.Sorted(maps.Keys(j.Error.Failed)) {
			line("Failed", name+": "+j.Error.Failed[name])
		}
		for _, hint := range j.Error.Hints {
			line("Hint", hint)
		}
	}
	if len(j.Stages) > 0 {
		b.WriteString("\nStages:\n")
	}
	for _, stage := range j.Stages {
		fmt.Fprintf(&b, "  %-12s %s\n", printable(stage.Name), stage.Status)
	}
	if s.Link != "" {
		fmt.Fprintf(&b, "\n%s/jobs/%s\n", strings.TrimSuffix(s.Link, "/"), j.ID)
	}
	return b.String()
}

// kind tells what another try may cure from what it cannot (RFC 5321, 4.2.1: 5yz is for good; RFC 4954, 6: 53z is the login).
func (s *MailSpec) kind(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("mail by %s: %w", s.Host, err)
	code := 0
	var send *mail.SendError
	var reply *textproto.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &send) && send.ErrorCode() > 0:
		code = send.ErrorCode()
	case errors.As(err, &reply):
		code = reply.Code
	case errors.As(err, &certificate):
		return sdk.Kind(sdk.ErrDenied, err)
	}
	switch {
	case code >= 530 && code < 540:
		return sdk.Kind(sdk.ErrDenied, err)
	case code >= 500:
		return sdk.Kind(sdk.ErrInvalid, err)
	}
	return sdk.Kind(sdk.ErrUnavailable, err)
}
