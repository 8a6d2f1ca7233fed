package guests

import (
	"context"
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/vm/kernels"
	vm "netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/reports"
)

// answerSize limits what a harness in a guest prints, in bytes.
const answerSize = 1 << 20

// Ask starts the guest of a row, in which the harness gets these arguments, and returns what it prints. It is not to be
// trusted. tell is called for each step of the way.
func (r *Rig) Ask(ctx context.Context, row matrix.Row, args []string, folder string,
	tell func(News)) (string, kernels.Kernel, reports.Guest) {
	g := &guest{row: row, tell: tell, news: News{Stage: Finding}, clock: r.Clock()}
	g.say()
	var answer strings.Builder
	end, err := func() (vm.End, error) {
		made, err := r.make(ctx, g, folder)
		if err != nil {
			return vm.End{}, err
		}
		made.Args = args
		g.news.Stage = Booting
		g.say()
		return vm.Run(ctx, made, func(e vm.Event) {
			if answer.Len() < answerSize {
				answer.WriteString(e.Output)
			}
		})
	}()
	told := g.guest(end)
	g.judge(ctx, &told, err)
	if release := g.kernel.Release; !told.Bad() && end.Ready != nil && release != "" && end.Ready.Release != release {
		told.Class = string(vm.NoResult)
		told.Words = fmt.Sprintf("its kernel says that it is %.64q, not %s", end.Ready.Release, release)
	}
	if told.Class == reports.GuestFailed {
		told.Words = strings.TrimSpace(told.Words + " " + untrusted.Cut(untrusted.Shown(lastLine(answer.String())), 512))
	}
	return answer.String(), g.kernel, told
}

// Shell starts the guest of a row with the harness on the user's terminal.
func (r *Rig) Shell(ctx context.Context, row matrix.Row, w *Work, args []string, folder string, t vm.Terminal,
	tell func(News)) (vm.End, error) {
	g := &guest{row: row, tell: tell, news: News{Stage: Finding}}
	g.say()
	made, err := r.make(ctx, g, folder)
	if err != nil {
		return vm.End{}, err
	}
	made.Args, made.Files, made.Env = args, w.files, []string{screen.GuestVariable + "=" + row.Name()}
	g.news.Stage = Booting
	g.say()
	return vm.Shell(ctx, made, t)
}
