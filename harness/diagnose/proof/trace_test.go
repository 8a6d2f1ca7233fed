package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/testimony"
	"netnscheck/harness/internal/drops"
	"netnscheck/harness/state"
)

// The kernel asks three times for a neighbour before it drops what is to be sent to it: here every tenth of a second,
// not once a second. patience is longer than that.
const (
	askAgain = 100 // ms
	patience = time.Second
)

var errno = regexp.MustCompile(`\((E[A-Z]+)\)`)

// confirm puts what the kernel says of its drops beside a diagnosis, and counts how often it agrees. From a namespace
// that does not exist nothing can be sent.
func (n *live) confirm(ctx context.Context, r *diagnose.Report, s *score) error {
	if r.Cause.Name == causes.NoNamespace || r.Cause.Name == causes.NotANamespace {
		return nil
	}
	t, unheard, err := n.kernelSays(ctx, r)
	if err != nil || unheard != "" {
		s.missed(unheard)
		return err
	}
	if err := n.forget(ctx); err != nil { // the probe may have found a neighbour that the repair does not expect
		return err
	}
	l := s.line(r.Cause.Name)
	s.count(&l.heard)
	switch t.Verdict {
	case testimony.Agrees:
		s.count(&l.agreed)
	case testimony.Silent:
		s.count(&l.silent)
	}
	return nil
}

// hasten makes the kernel give neighbours up sooner.
func (n *live) hasten(s *state.State) error {
	for i := range s.Namespaces {
		err := n.lab.Go(s.Namespaces[i].Name, func() error {
			for _, l := range s.Namespaces[i].Links {
				for _, family := range []string{"ipv4", "ipv6"} {
					path := filepath.Join("/proc/sys/net", family, "neigh", l.Name, "retrans_time_ms")
					err := os.WriteFile(path, []byte(strconv.Itoa(askAgain)), 0)
					if err != nil && !errors.Is(err, fs.ErrNotExist) { // a link without IPv6
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kernelSays probes once more, and puts what the kernel says of its drops meanwhile beside the diagnosis. Where it
// cannot be heard, unheard is why.
func (n *live) kernelSays(ctx context.Context, r *diagnose.Report) (t testimony.Testimony, unheard string, err error) {
	outside, err := ear()
	if err != nil {
		return t, "", err
	}
	s, err := n.lab.Whole(ctx)
	if err != nil {
		return t, "", err
	}
	if err := n.hasten(s); err != nil {
		return t, "", err
	}
	flow := drops.FlowTo(s, r.Query)
	filter := drops.Filter{Addresses: flow.Addresses()}
	for i := range s.Namespaces {
		filter.Namespaces = append(filter.Namespaces, s.Namespaces[i].Inode)
	}
	var l Listening
	if err := outside.Call("Ear.Listen", filter, &l); err != nil || l.Unavailable != "" {
		return t, l.Unavailable, err
	}
	defer outside.Call("Ear.Close", l.Listener, nil)
	got, found, err := n.reaches(ctx, r.Query, false)
	if err != nil {
		return t, "", err
	}
	heard := testimony.Heard{Answered: got, Unsent: strings.Contains(found, "has no carrier")}
	if word := errno.FindStringSubmatch(found); word != nil {
		heard.Errno = word[1]
	}
	until := time.Now()
	if !got && heard.Errno == "" && !heard.Unsent {
		until = until.Add(patience)
	}
	next := func(until time.Time) (drops.Drop, error) {
		var h Heard
		err := outside.Call("Ear.Next", NextRequest{l.Listener, until}, &h)
		if err == nil && h.Nothing {
			err = os.ErrDeadlineExceeded
		}
		return h.Drop, err
	}
	enough := func(so []testimony.Drop) bool { return testimony.Suffices(r, so) }
	if heard.Drops, err = drops.Gather(next, flow, s, until, enough); err != nil {
		return t, "", err
	}
	t = testimony.Of(r, heard)
	if t.Verdict == testimony.Contradicts {
		err = fmt.Errorf("the kernel contradicts: %s; the probe: %s; heard: %+v", t.Says, found, heard.Drops)
	}
	return t, "", err
}
