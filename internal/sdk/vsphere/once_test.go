package vsphere

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func TestOnce_AsksOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o once[int]
		asked := 0
		release := make(chan struct{})
		ask := func() (int, error) {
			asked++
			<-release
			return 42, nil
		}
		answers := make(chan int, 10)
		for range 10 {
			go func() {
				got, err := o.get(t.Context(), "key", ask)
				if err != nil {
					t.Error(err)
				}
				answers <- got
			}()
		}
		synctest.Wait()
		close(release)
		for range 10 {
			if got := <-answers; got != 42 {
				t.Errorf("got %d, want 42", got)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times, want 1", asked)
		}
	})
}

func TestOnce_FailureIsNotRemembered(t *testing.T) {
	var o once[int]
	broken := errors.New("broken")
	if _, err := o.get(t.Context(), "key", func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Fatalf("got %v, want the failure", err)
	}
	got, err := o.get(t.Context(), "key", func() (int, error) { return 7, nil })
	if err != nil || got != 7 {
		t.Errorf("second time: got %d, %v; want 7", got, err)
	}
}

func TestOnce_WaiterOutlivesTheAsker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o once[int]
		asker, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = o.get(asker, "key", func() (int, error) {
				<-asker.Done()
				return 0, asker.Err()
			})
		}()
		synctest.Wait()
		got := make(chan int, 1)
		go func() {
			n, err := o.get(t.Context(), "key", func() (int, error) { return 7, nil })
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
		synctest.Wait()
		cancel()
		if n := <-got; n != 7 {
			t.Errorf("got %d, want the waiter's own answer", n)
		}
	})
}

func TestOnce_WaiterMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o once[int]
		release := make(chan struct{})
		go func() { _, _ = o.get(t.Context(), "key", func() (int, error) { <-release; return 1, nil }) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := o.get(ctx, "key", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		close(release)
	})
}

func TestOnce_Forget(t *testing.T) {
	var o once[string]
	answer := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	for _, key := range []string{"a", "b"} {
		if _, err := o.get(t.Context(), key, answer(key+"1")); err != nil {
			t.Fatal(err)
		}
	}
	o.forget(func(_, known string) bool { return strings.HasPrefix(known, "a") })
	a, _ := o.get(t.Context(), "a", answer("a2"))
	b, _ := o.get(t.Context(), "b", answer("b2"))
	if a != "a2" || b != "b1" {
		t.Errorf("got %s and %s, want a2 and b1", a, b)
	}
}
