package vm

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/vm/store"
	"netnscheck/harness/term"
)

// list is `harness vm list`.
func list(s *screen.Screen) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List what was fetched for guests, and apt's lists",
		Args:  status.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cache, dir, err := open()
			if err != nil {
				return err
			}
			defer cache.Close()
			entries, err := cache.List()
			if err != nil {
				return err
			}
			return printEntries(s, entries, dir, time.Now())
		},
	}
}

// prune is `harness vm prune`.
func prune(s *screen.Screen) *cobra.Command {
	var days int
	var all bool
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove what was fetched for guests and not used for 30 days",
		Args:  status.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case all && c.Flags().Changed("older"):
				return status.Usagef("--older and --all exclude each other")
			case days < 0:
				return status.Usagef("--older %d: want a number of days", days)
			}
			since := time.Now().AddDate(0, 0, -days)
			if all {
				since = time.Now()
			}
			cache, _, err := open()
			if err != nil {
				return err
			}
			defer cache.Close()
			removed, err := cache.Prune(since)
			var bytes int64
			for _, e := range removed {
				bytes += e.Size
			}
			fmt.Fprintf(s.Out, "removed %s, %s\n", entries(len(removed)), size(bytes))
			return err
		},
	}
	c.Flags().IntVar(&days, "older", 30, "remove what was not used for this many `DAYS`")
	c.Flags().BoolVar(&all, "all", false, "remove everything that is not in use")
	return c
}

func open() (cache *store.Store, dir string, err error) {
	if dir, err = store.Default(); err == nil {
		cache, err = store.Open(dir)
	}
	return cache, dir, status.With(status.Cannot, err)
}

// printEntries prints the entries of the store in a folder, and their sum.
func printEntries(s *screen.Screen, all []store.Entry, dir string, now time.Time) error {
	rows := [][]string{{"kind", "used", "size", "name"}}
	var bytes int64
	for _, e := range all {
		bytes += e.Size
		rows = append(rows, []string{e.Kind, ago(now.Sub(e.Used)), whole(e.Size),
			term.OneLine(cmp.Or(e.Name, "its own files"))})
	}
	if len(all) > 0 {
		if err := s.List(rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.Out, "%s, %s in %s\n", entries(len(all)), size(bytes), dir)
	return err
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// ago is how long ago something was used, in the largest unit.
func ago(d time.Duration) string {
	days := int(d.Hours() / 24)
	switch {
	case days > 0:
		return term.Count(days, "day") + " ago"
	case d >= time.Hour:
		return term.Count(int(d.Hours()), "hour") + " ago"
	}
	return "now"
}

// size is a number of bytes for people.
func size(n int64) string { return fmt.Sprintf("%d MB", (n+999_999)/1_000_000) }

// whole is the size of an entry; one of which the list of sums cannot be read has none.
func whole(n int64) string {
	if n == 0 {
		return "broken"
	}
	return size(n)
}
