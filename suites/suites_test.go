package suites_test

import (
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
	"netnscheck/scenarios"
	"netnscheck/suites"
	"netnscheck/suites/conformance"
)

func TestMain(m *testing.M) {
	if isFixture {
		os.Exit(m.Run())
	}
	os.Exit(lab.TestMain(m))
}

// The catalogue as specs, with every driver of this machine, and the suites written in Go.
var _ = func() bool {
	if isFixture {
		registerFixture()
		return true
	}
	all, err := scenarios.All()
	if err != nil {
		panic(err)
	}
	for _, sc := range all {
		suites.Register(suites.Unit{Scenario: sc, Drivers: lab.Drivers()})
	}
	conformance.Register(conformance.Options{})
	return true
}()

func TestSuites(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays the whole catalogue")
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	runSpecs(t, "netnscheck")
}
