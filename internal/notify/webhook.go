package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// The headers of a webhook.
const (
	// HeaderTimestamp is when it was signed: seconds since 1970.
	HeaderTimestamp = "X-Hypersdk-Timestamp"
	// HeaderSignature is "v1=" and the hexadecimal HMAC-SHA256, under the shared secret, of timestamp, a dot and the body.
	HeaderSignature = "X-Hypersdk-Signature"
	// HeaderDelivery is the same in every repetition of one notification.
	HeaderDelivery = "X-Hypersdk-Delivery"
)

// Tolerance is how old a signature Verify accepts: long enough for clocks that differ, too short for a replay later.
const Tolerance = 5 * time.Minute

// webhookTimeout bounds one request.
const webhookTimeout = 10 * time.Second

// WebhookSpec is where a webhook goes. URL and Secret are required.
type WebhookSpec struct {
	Filter
	URL    string // https; http to this machine only. Redirects are not followed
	Secret string // at least 16 characters; signs, and is never sent
	Tries  int    // in one call of the sink; 0: 4
	// FirstPause is before the second try; it doubles. 0: 1 second.
	FirstPause time.Duration
	TLS        *tls.Config // nil: the system's roots
}

// Hook is the body of a webhook.
type Hook struct {
	Event    string    `json:"event"`    // always "job.ended"
	Delivery string    `json:"delivery"` // as in HeaderDelivery
	SentAt   time.Time `json:"sent_at"`
	Outcome  string    `json:"outcome"` // succeeded, succeeded in part, failed or canceled
	Job      *job.Job  `json:"job"`     // without its spec
}

// Webhook makes a sink that posts a Hook and takes any 2xx answer for yes. An ErrInvalid names what is wrong with the spec. The
// sink's errors: ErrUnavailable for the network, 408, 425, 429 and 5xx, after its tries; ErrDenied for 401, 403 and certificates;
// ErrInvalid for every other answer, which is not tried again.
func Webhook(s WebhookSpec) (Sink, error) {
	if s.Tries == 0 {
		s.Tries = 4
	}
	if s.FirstPause == 0 {
		s.FirstPause = time.Second
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	client := &http.Client{
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No connection is kept between two ends of jobs, which may be days apart.
		Transport: &http.Transport{TLSClientConfig: s.TLS, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true},
	}
	return func(ctx context.Context, j *job.Job) error {
		if !s.wants(j) {
			return nil
		}
		return s.deliver(ctx, client, j)
	}, nil
}

func (s *WebhookSpec) validate() error {
	if err := s.Filter.validate(); err != nil {
		return err
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return sdk.Invalidf("a webhook's URL is not of the form https://HOST/PATH")
	case u.User != nil:
		return sdk.WithHint(sdk.Invalidf("the webhook's URL for %s holds user information", u.Host), "the signature tells the receiver who sends")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return sdk.WithHint(sdk.Invalidf("the webhook to %s would go out without encryption", u.Host), "use https")
	case len(s.Secret) < 16:
		return sdk.Invalidf("the secret of the webhook to %s needs at least 16 characters", u.Host)
	case s.Tries < 1 || s.Tries > 20 || s.FirstPause < 0:
		return sdk.Invalidf("%d tries of the webhook to %s: between 1 and 20", s.Tries, u.Host)
	}
	return nil
}

func (s *WebhookSpec) deliver(ctx context.Context, client *http.Client, j *job.Job) error {
	bare := *j
	bare.Body = nil
	delivery := fmt.Sprintf("%s.%d", j.ID, j.Attempts)
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = s.FirstPause
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		now := time.Now().UTC()
		body, err := json.Marshal(Hook{Event: "job.ended", Delivery: delivery, SentAt: now, Outcome: outcome(j), Job: &bare})
		if err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		err = s.post(ctx, client, body, delivery, now)
		if err != nil && !errors.Is(err, sdk.ErrUnavailable) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(s.Tries)), backoff.WithMaxElapsedTime(0))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Unwrap()
	}
	return err
}

func (s *WebhookSpec) post(ctx context.Context, client *http.Client, body []byte, delivery string, now time.Time) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return sdk.Kind(sdk.ErrInvalid, err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "hypersdkd")
	request.Header.Set(HeaderTimestamp, stamp)
	request.Header.Set(HeaderSignature, sign(s.Secret, stamp, body))
	request.Header.Set(HeaderDelivery, delivery)
	answer, err := client.Do(request)
	if err != nil {
		return s.kind(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	host := request.URL.Host
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == 408 || code == 425 || code == 429 || code >= 500:
		return sdk.Unavailablef("webhook to %s: answered %d", host, code)
	case code == 401 || code == 403:
		return sdk.Kind(sdk.ErrDenied, fmt.Errorf("webhook to %s: answered %d", host, code))
	default:
		return sdk.Invalidf("webhook to %s: answered %d", host, code)
	}
}

// kind leaves the URL out of the error: its path or query may be what makes it secret.
func (s *WebhookSpec) kind(err error) error {
	host := "?"
	var outer *url.Error
	if errors.As(err, &outer) {
		if u, parseErr := url.Parse(s.URL); parseErr == nil {
			host = u.Host
		}
		err = outer.Err
	}
	err = fmt.Errorf("webhook to %s: %w", host, err)
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return sdk.Kind(sdk.ErrDenied, err)
	}
	return sdk.Kind(sdk.ErrUnavailable, err)
}

func sign(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify is what a receiver does first: nil when the body came from somebody who knows the secret, within Tolerance of now. The
// signature is compared in constant time.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	stamp := header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return sdk.Invalidf("the webhook has no timestamp")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return sdk.Invalidf("the webhook was signed %s ago: more than %s", age.Round(time.Second), Tolerance)
	}
	if !hmac.Equal([]byte(header.Get(HeaderSignature)), []byte(sign(secret, stamp, body))) {
		return sdk.Invalidf("the webhook's signature is wrong")
	}
	return nil
}
