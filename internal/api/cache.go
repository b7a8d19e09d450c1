package api

import (
	"bytes"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// maxKept bounds the lists that are kept ready, in bytes.
const maxKept = 64 << 20

// answer is a list as it is sent.
type answer struct {
	body  []byte
	etag  string
	total int

	once sync.Once
	zip  []byte
}

// compressed is the body compressed, made when somebody first asks; nil: it is too small.
func (a *answer) compressed() []byte {
	a.once.Do(func() { a.zip = squeeze(a.body) })
	return a.zip
}

// answers keep lists ready to be sent, until their rows are others: the mirror keeps a row that did not change.
type answers struct {
	mu    sync.Mutex
	kept  map[string]*kept
	order []string // the one that was made longest ago first
	bytes int
}

// kept is one list: its rows, which are a []*T, and what was made of them.
type kept struct {
	rows   any
	parts  any // map[*T][]byte, of the rows that are shown
	answer *answer
}

func newAnswers() *answers { return &answers{kept: map[string]*kept{}} }

// recall is the answer that was made of the very same rows, and the JSON of rows that was made before.
func recall[T any](c *answers, key string, all []*T) (*answer, map[*T][]byte) {
	c.mu.Lock()
	k := c.kept[key]
	c.mu.Unlock()
	if k == nil {
		return nil, nil
	}
	parts, _ := k.parts.(map[*T][]byte)
	if before, ok := k.rows.([]*T); ok && slices.Equal(before, all) {
		return k.answer, parts
	}
	return nil, parts
}

// keep remembers an answer, and forgets the oldest when there are too many.
func keep[T any](c *answers, key string, all []*T, parts map[*T][]byte, a *answer) {
	if len(a.body) > maxKept/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	c.kept[key] = &kept{rows: all, parts: parts, answer: a}
	c.order = append(c.order, key)
	c.bytes += len(a.body)
	for c.bytes > maxKept {
		c.drop(c.order[0])
	}
}

func (c *answers) drop(key string) {
	k := c.kept[key]
	if k == nil {
		return
	}
	c.bytes -= len(k.answer.body)
	delete(c.kept, key)
	c.order = slices.DeleteFunc(c.order, func(other string) bool { return other == key })
}

// squeeze compresses what is worth it; nil: it is not.
func squeeze(body []byte) []byte {
	if len(body) < minCompressed {
		return nil
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil
	}
	if _, err := z.Write(body); err != nil {
		return nil
	}
	if err := z.Close(); err != nil {
		return nil
	}
	return out.Bytes()
}
