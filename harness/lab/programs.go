package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/program"
)

// Questions that a program of the lab answers, where that is what the check is about: it runs where the commands of the
// scenario run, with the files of that namespace, and is believed.

// programLimit is how long a program may take that a check asks.
const programLimit = 10 * time.Second

// print runs the command of a check.
func (k *look) print(ctx context.Context, q claim.Output) (claim.PrintedText, error) {
	text, status, err := k.run(ctx, q.Netns, q.Argv())
	return claim.PrintedText{Text: text, Status: status}, err
}

func (k *look) run(ctx context.Context, ns string, argv []string) (output string, status int, err error) {
	w := k.lab.world
	if argv, err = program.RealNames(w, argv); err != nil {
		return "", 0, err
	}
	text, status, err := program.Run(ctx, w, ns, argv, programLimit)
	return w.Lesson(string(text)), status, err
}

// resolve asks the C library of the lab for the addresses of a name. getent ahosts leaves out a family of which the
// namespace has no address (AI_ADDRCONFIG, getaddrinfo(3)), which other programs may ask for: getent hosts has it.
func (k *look) resolve(ctx context.Context, q claim.Resolution) (found claim.Addresses, err error) {
	argv := q.Argv()
	if found, err = k.addresses(ctx, q.Netns, argv); err != nil || slices.Contains(found.Addrs, q.Wanted) {
		return found, err
	}
	argv[slices.Index(argv, "ahosts")] = "hosts"
	more, err := k.addresses(ctx, q.Netns, argv)
	for _, a := range more.Addrs {
		if !slices.Contains(found.Addrs, a) {
			found.Addrs = append(found.Addrs, a)
		}
	}
	return found, err
}

// addresses runs getent, which ends with 2 if there is no such name, or no server answers (getent(1)).
func (k *look) addresses(ctx context.Context, ns string, getent []string) (found claim.Addresses, err error) {
	output, status, err := k.run(ctx, ns, getent)
	switch {
	case errors.Is(err, program.ErrLimit):
		return claim.Addresses{Found: fmt.Sprintf("no answer within %v", programLimit)}, nil
	case err != nil:
		return claim.Addresses{}, err
	case status == 2:
		return claim.Addresses{Found: "getent finds no address"}, nil
	case status != 0:
		return claim.Addresses{}, fmt.Errorf("resolve a name in %s: %s: exit status %d: %s", ns,
			strings.Join(getent, " "), status, strings.TrimSpace(output))
	}
	for line := range strings.Lines(output) {
		first, _, _ := strings.Cut(line, " ")
		if a, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil && !slices.Contains(found.Addrs, a) {
			found.Addrs = append(found.Addrs, a)
		}
	}
	if len(found.Addrs) == 0 {
		return found, fmt.Errorf("resolve a name in %s: expected addresses of getent, found %q", ns, output)
	}
	return found, nil
}
