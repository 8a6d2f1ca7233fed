package reports

// inOrder delivers cases in the order of the plan when several run at the same time: a case that ends early is held
// back.
type inOrder struct {
	suites []waiting
	next   int // the suite that is being delivered
}

// waiting is a suite, the number of its cases that have not ended, and those held back.
type waiting struct {
	name  string
	left  int
	ended []func()
}

func (o *inOrder) plan(suites []Suite) {
	for i := range suites {
		o.suites = append(o.suites, waiting{name: suites[i].Name(), left: len(suites[i].Cases)})
	}
}

// end takes a case that has ended, as the function that delivers it.
func (o *inOrder) end(su *Suite, tell func()) {
	for i := o.next; i < len(o.suites); i++ {
		if w := &o.suites[i]; w.name == su.Name() {
			w.left--
			w.ended = append(w.ended, tell)
			break
		}
	}
	for o.next < len(o.suites) {
		w := &o.suites[o.next]
		for _, tell := range w.ended {
			tell()
		}
		w.ended = nil
		if w.left > 0 {
			return
		}
		o.next++
	}
}
