// Package conformance are the suites that are written in Go: facts about namespaces that a scenario cannot say, since
// they take repetition, a random order, two labs, a number, or something that keeps a namespace alive. It may be
// imported by the command line and by test packages; it goes to the kernel through harness/lab alone, and it never
// calls RunSpecs.
package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
)

// Options are how the suites run.
type Options struct {
	// World says where the labs' namespaces are.
	World lab.Options
	// OnKept, unless it is nil, is told of the labs of a spec that failed, by the threads that live in them
	// (lab.Lab.Thread), before they are taken down. It returns when they may be.
	OnKept func(ctx context.Context, threads []int)
}

// Register adds the suites to Ginkgo's tree, a top-level container each. It is called while the tree is built, before
// RunSpecs.
func Register(o Options) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	for _, s := range []struct {
		text  string
		specs func(Options)
	}{
		{"suites.lifetime: What a namespace takes along when it ends", lifetime},
		{"suites.keeping: What keeps a namespace alive without its name", keeping},
		{"suites.events: Who is told what happens in a namespace", events},
		{"suites.numbers: Which numbers mean what in which namespace", numbers},
		{"suites.isolation: What two labs see of each other", isolation},
	} {
		ginkgo.Describe(s.text, ginkgo.Label("conformance", "go"), func() { s.specs(o) })
	}
}
