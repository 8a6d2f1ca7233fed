package rtnetlink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// carryOutMany is a command that consists of others; ok is false for any other operation.
func carryOutMany(ctx context.Context, w *netns.World, c operation.Command) (output string, ok bool, err error) {
	switch op := c.Op.(type) {
	case operation.Batch:
		output, err = runBatch(ctx, w, c, op)
	case operation.NetnsExecAll:
		output, err = execInAll(ctx, w, op)
	case operation.NetnsDeleteAll:
		err = deleteAllNetns(w)
	default:
		return "", false, nil
	}
	return output, true, err
}

// carryOutEither carries out an operation or runs a program. A program's exit status other than 0 is a *Refused.
func carryOutEither(ctx context.Context, w *netns.World, c operation.Command) (string, error) {
	op, ok := c.Op.(operation.Run)
	if !ok {
		return carryOut(ctx, w, c)
	}
	printed, status, err := runProgram(ctx, w, c, op, false)
	if err == nil && status != 0 {
		err = &Refused{Status: status, Message: fmt.Sprintf("%s ended with status %d", op.Argv[0], status)}
	}
	return string(printed.All), err
}

// execInAll is `ip -all netns exec`: what is refused in one namespace is told, and the others go on. As in iproute2
// that is no failure of the command.
func execInAll(ctx context.Context, w *netns.World, op operation.NetnsExecAll) (string, error) {
	names, err := w.Names()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, name := range names {
		each := op.Each
		if each.Netns == "" {
			each.Netns, each.Exec = name, true
		}
		output, err := carryOutEither(ctx, w, each)
		fmt.Fprintf(&text, "\nnetns: %s\n%s", name, output)
		var refused *Refused
		switch {
		case errors.As(err, &refused):
			fmt.Fprintln(&text, refused.Message)
		case err != nil:
			return text.String(), err
		}
	}
	return text.String(), nil
}

// deleteAllNetns is `ip -all netns del`: it ends at the first name that cannot be removed, which is no failure of the
// command.
func deleteAllNetns(w *netns.World) error {
	names, err := w.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		err := deleteNetns(w, operation.NetnsDelete{Name: name})
		var refused *Refused
		switch {
		case errors.As(err, &refused):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// runBatch is `ip -batch`: it ends at the first line that is refused, unless it is forced. Even then it ends at a line
// that ip itself cannot understand, and behind the first `maddress add` or `del`, done or refused, with the status of
// that line alone: there ip calls exit(3) (multiaddr_modify in ip/ipmaddr.c). What the lines before have done stays.
func runBatch(ctx context.Context, w *netns.World, c operation.Command, op operation.Batch) (string, error) {
	lines, err := readBatch(w, c, op)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	var failed error
	for _, line := range lines {
		if line.Refused != nil {
			return text.String(), &Refused{Status: 255, Message: line.Refused.Error()}
		}
		output, err := carryOutEither(ctx, w, line.Command)
		text.WriteString(output)
		var refused *Refused
		if err != nil && !errors.As(err, &refused) {
			return text.String(), err
		}
		const usageError = 255 // ip exits at once
		if _, exits := line.Command.Op.(operation.MulticastChange); exits || err != nil &&
			refused.Status == usageError {
			return text.String(), err
		}
		if err == nil {
			continue
		}
		fmt.Fprintf(&text, "%s\nCommand failed %s:%d\n", refused.Message, op.File, line.Number)
		failed = &Refused{Errno: refused.Errno, Message: refused.Message, Status: 1}
		if !op.Force {
			break
		}
	}
	return text.String(), failed
}

// readBatch reads the file of a batch as the programs of the lab see it. All its lines have to be supported before the
// first is carried out.
func readBatch(w *netns.World, c operation.Command, op operation.Batch) ([]operation.BatchLine, error) {
	var text []byte
	if op.File != "-" { // standard input is empty
		err := w.InMounts(func() (err error) {
			text, err = netns.ReadFile(op.File)
			return err
		})
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return nil, refuse(1, err, "Cannot open file %q for reading", op.File)
		}
		if err != nil {
			return nil, fmt.Errorf("read the batch file: %w", err)
		}
	}
	lines, err := op.ParseBatch(string(text), c)
	var unknown *operation.UnknownWord
	if errors.As(err, &unknown) {
		return nil, cannotSay(unknown.Word)
	}
	for _, line := range lines {
		if line.Refused != nil {
			continue
		}
		err := canDo(line.Command, scenario.Status{Any: true})
		var cannot *scenario.CannotSay
		if errors.As(err, &cannot) {
			err = cannotSay(fmt.Sprintf("%s in line %d of %s", cannot.Word, line.Number, op.File))
		}
		if err != nil {
			return nil, err
		}
	}
	return lines, nil
}
