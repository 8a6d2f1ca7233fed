// Package conformance holds the suites written in Go: facts about namespaces that a scenario cannot express, since they
// need repetition, a random order, two labs, numbers, or something that keeps a namespace alive. It may be imported by
// the command line and by test packages. It touches the kernel only through harness/lab, and never calls RunSpecs.
package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
)

// Options control how the suites run.
type Options struct {
	// World says where the labs' namespaces are made.
	World lab.Options
	// OnKept is called with the threads that live in the lab of a failed spec (lab.Lab.Thread). The lab is taken down
	// when it returns. It may be nil.
	OnKept func(ctx context.Context, threads []int)
}

// Register adds the suites to Ginkgo's tree, each as a top-level container. It is called while the tree is built,
// before RunSpecs.
func Register(o Options) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	for _, s := range []struct {
		text  string
		specs func(Options)
	}{
		{"suites.lifetime: What ends with a namespace", lifetime},
		{"suites.keeping: What keeps a namespace alive without its name", keeping},
		{"suites.events: Which namespace receives which event", events},
		{"suites.numbers: What numbers mean in each namespace", numbers},
		{"suites.isolation: What two labs see of each other", isolation},
	} {
		ginkgo.Describe(s.text, ginkgo.Label("conformance", "go"), func() { s.specs(o) })
	}
}
