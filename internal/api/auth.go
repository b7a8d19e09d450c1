package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	cookieName  = "hypersdk_session"
	cookieLife  = 12 * time.Hour
	ticketLife  = 30 * time.Second
	maxSessions = 1024 // cookies and tickets that are valid at once; the oldest goes first
)

// Credential is a token and what its bearer may do.
type Credential struct {
	Name  string
	Role  Role
	Token string
}

// Auth says who may come in. Its zero value lets nobody in.
type Auth struct {
	Disabled    bool            // everybody is an admin: on the loopback interface only
	Credentials []Credential    // by bearer token
	Clients     map[string]Role // by common name of a verified TLS client certificate
}

type digest = [sha256.Size]byte

// guard knows tokens, cookies and tickets by their digests, never by themselves.
type guard struct {
	disabled bool
	tokens   []holder
	clients  map[string]Role

	mu      sync.Mutex
	cookies map[digest]lent
	tickets map[digest]lent
	now     func() time.Time
}

type holder struct {
	digest digest
	who    Identity
}

// lent is what somebody with a token was given for a while.
type lent struct {
	who  Identity
	ends time.Time
}

func newGuard(a Auth) *guard {
	g := &guard{disabled: a.Disabled, clients: a.Clients, cookies: map[digest]lent{}, tickets: map[digest]lent{}, now: time.Now}
	for _, c := range a.Credentials {
		g.tokens = append(g.tokens, holder{sha256.Sum256([]byte(c.Token)), Identity{Name: c.Name, Role: c.Role, Via: "token"}})
	}
	return g
}

// identify finds out who the request is from: nil when it shows nothing, a refusal when what it shows is not valid.
func (g *guard) identify(r *http.Request) (*Identity, *Problem) {
	if g.disabled {
		return &Identity{Name: "anonymous", Role: Admin, Via: "none"}, nil
	}
	if text := r.Header.Get("Authorization"); text != "" {
		scheme, token, _ := strings.Cut(text, " ")
		if who := g.byToken(token); who != nil && strings.EqualFold(scheme, "Bearer") {
			return who, nil
		}
		return nil, problem(http.StatusUnauthorized, "unauthorized", "the token is not valid").hinted("look into the daemon's token file; the token may have been made anew")
	}
	if ticket := r.URL.Query().Get("ticket"); ticket != "" && isUpgrade(r) {
		if who := g.take(g.tickets, ticket); who != nil {
			return who, nil
		}
		return nil, problem(http.StatusUnauthorized, "unauthorized", "the ticket is not valid any more").hinted("a ticket opens one socket, within 30 seconds; ask for another with POST /auth/ticket")
	}
	if c, err := r.Cookie(cookieName); err == nil {
		if who := g.byCookie(c.Value); who != nil {
			return who, nil
		}
	}
	return g.byCertificate(r), nil
}

// byToken compares with every token, in a time that does not tell how near a guess is.
func (g *guard) byToken(token string) *Identity {
	sum := sha256.Sum256([]byte(token))
	var found *Identity
	for i := range g.tokens {
		if subtle.ConstantTimeCompare(sum[:], g.tokens[i].digest[:]) == 1 {
			who := g.tokens[i].who
			found = &who
		}
	}
	return found
}

// byCertificate goes by a client certificate that TLS has verified.
func (g *guard) byCertificate(r *http.Request) *Identity {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	name := r.TLS.VerifiedChains[0][0].Subject.CommonName
	role, known := g.clients[name]
	if !known {
		return nil
	}
	return &Identity{Name: name, Role: role, Via: "certificate"}
}

func (g *guard) byCookie(value string) *Identity {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.cookies[sha256.Sum256([]byte(value))]
	if !ok || g.now().After(l.ends) {
		return nil
	}
	return &l.who
}

// take uses a ticket up.
func (g *guard) take(from map[digest]lent, value string) *Identity {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := sha256.Sum256([]byte(value))
	l, ok := from[key]
	delete(from, key)
	if !ok || g.now().After(l.ends) {
		return nil
	}
	return &l.who
}

// lend gives out a new secret that stands for who.
func (g *guard) lend(to map[digest]lent, who Identity, via string, life time.Duration) (secret string, ends time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var oldest digest
	for key, l := range to {
		switch {
		case now.After(l.ends):
			delete(to, key)
		case oldest == digest{} || l.ends.Before(to[oldest].ends):
			oldest = key
		}
	}
	if len(to) >= maxSessions {
		delete(to, oldest)
	}
	secret, ends = randomSecret(), now.Add(life)
	who.Via = via
	to[sha256.Sum256([]byte(secret))] = lent{who, ends}
	return secret, ends
}

func (g *guard) forget(cookie string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.cookies, sha256.Sum256([]byte(cookie)))
}

// randomSecret is an unguessable name of 256 bits.
func randomSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
