package reports

// inOrder lets cases be told in the order of the plan, whatever runs side by side: what ends before its turn waits for
// it.
type inOrder struct {
	suites []waiting
	next   int // the suite that is being told
}

// waiting is a suite, with how many of its cases are still to be told and those that have ended before its turn.
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

// end takes how to tell of a case that has ended.
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
