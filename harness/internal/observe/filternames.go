package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// FilterName is a chain, a set or a map of nf_tables by its name; tables that are dormant have theirs too.
type FilterName struct {
	Family, Table, Name string
	Map                 bool
}

// FilterChains are the chains of a namespace. A kernel without nf_tables has none.
func FilterChains(ctx context.Context, w *netns.World, ns string) ([]FilterName, error) {
	return filterNames(ctx, w, ns, "chains", func(s *ruleset) (names []FilterName, err error) {
		if err := s.readTables(); err != nil {
			return nil, err
		}
		if err := s.readChains(); err != nil {
			return nil, err
		}
		for _, t := range s.tables {
			for _, c := range t.chains {
				names = append(names, FilterName{Family: families[t.family], Table: t.name, Name: c.Name})
			}
		}
		return names, nil
	})
}

// FilterSets are the sets and maps of a namespace that have names of their own.
func FilterSets(ctx context.Context, w *netns.World, ns string) ([]FilterName, error) {
	return filterNames(ctx, w, ns, "sets", func(s *ruleset) (names []FilterName, err error) {
		if err := s.readSets(); err != nil {
			return nil, err
		}
		for at, set := range s.sets {
			if set.flags&unix.NFT_SET_ANONYMOUS == 0 {
				names = append(names, FilterName{families[at.family], at.table, at.name,
					set.flags&unix.NFT_SET_MAP != 0})
			}
		}
		return names, nil
	})
}

func filterNames(ctx context.Context, w *netns.World, ns, what string,
	read func(*ruleset) ([]FilterName, error)) (names []FilterName, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = w.Do(ns, func() error {
		ask, err := open(unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer ask.close()
		names, err = read(&ruleset{ask: ask, sets: map[place]*filterSet{}})
		return err
	})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the %s of nf_tables in %s: %w", what, ns, err)
	}
	slices.SortFunc(names, func(a, b FilterName) int {
		return strings.Compare(a.Family+" "+a.Table+" "+a.Name, b.Family+" "+b.Table+" "+b.Name)
	})
	return names, nil
}
