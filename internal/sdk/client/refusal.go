package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// problem is a refusal or failure as the API tells it (RFC 9457).
type problem struct {
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Detail string            `json:"detail"`
	Hint   string            `json:"hint"`
	Done   []string          `json:"done"`
	Failed map[string]string `json:"failed"`
}

// kinds are the problems that are kinds of the SDK's; the last part of their type says which.
var kinds = map[string]error{
	"invalid":           sdk.ErrInvalid,
	"not-found":         sdk.ErrNotFound,
	"conflict":          sdk.ErrConflict,
	"denied":            sdk.ErrDenied,
	"unauthorized":      sdk.ErrDenied,
	"forbidden":         sdk.ErrDenied,
	"unavailable":       sdk.ErrUnavailable,
	"too-many-requests": sdk.ErrUnavailable,
	"deadline":          context.DeadlineExceeded,
}

// refusal makes of an answer that is no success the error that the SDK itself would have given.
func refusal(res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if err != nil {
		return sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("hypersdkd: status %d: %w", res.StatusCode, err))
	}
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Type == "" {
		return sdk.WithHint(sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("%s answers with status %d, and not as hypersdkd does", res.Request.URL.Host, res.StatusCode)),
			"is this the address of a hypersdkd?")
	}
	return p.err(res.StatusCode)
}

func (p problem) err(status int) error {
	words := p.Detail
	if words == "" {
		words = p.Title
	}
	var err error
	switch kind, known := kinds[p.Type[strings.LastIndex(p.Type, ":")+1:]]; {
	case p.Failed != nil:
		partial := &sdk.PartialError{Done: p.Done, Failed: map[string]error{}}
		for name, why := range p.Failed {
			partial.Failed[name] = errors.New(why)
		}
		err = partial
	case known:
		err = sdk.Kind(kind, errors.New(words))
	case status >= 400 && status < 500:
		err = sdk.Kind(sdk.ErrInvalid, errors.New(words))
	default:
		err = errors.New(words)
	}
	if p.Hint == "" {
		return err
	}
	return sdk.WithHint(err, "%s", p.Hint)
}
