// Package halve finds the first bad one in a row of kernels of which the first is good and the last is bad, with as few
// looks as halving takes. It is pure; the command bisect may import it. It never decides what is good or bad.
package halve

// Verdict is what a look at a kernel says.
type Verdict int

// The verdicts. Untold means that the look does not tell: it is never taken for good or bad.
const (
	Untold Verdict = iota
	Good
	Bad
)

// Found is where a row turns bad: from good to bad. Between are those that were looked at and did not tell; the change
// is in one of them, or in bad.
type Found struct {
	Good, Bad int
	Between   []int
}

// Looks is about how many looks a row of n needs beside those at its ends.
func Looks(n int) (looks int) {
	for between := n - 2; between > 0; between /= 2 {
		looks++
	}
	return looks
}

// Search looks for the change in the row 0 to n-1, whose ends were looked at before. Those that are doubtful, which
// will hardly tell, are looked at when no other is left. An error of a look ends it.
func Search(n int, doubtful func(i int) bool, look func(i int) (Verdict, error)) (Found, error) {
	f := Found{Good: 0, Bad: n - 1}
	untold := map[int]bool{}
	for {
		i := middle(f.Good, f.Bad, func(i int) bool { return untold[i] || doubtful(i) })
		if i < 0 {
			i = middle(f.Good, f.Bad, func(i int) bool { return untold[i] })
		}
		if i < 0 {
			break
		}
		v, err := look(i)
		if err != nil {
			return f, err
		}
		switch v {
		case Good:
			f.Good = i
		case Bad:
			f.Bad = i
		default:
			untold[i] = true
		}
	}
	for i := f.Good + 1; i < f.Bad; i++ {
		f.Between = append(f.Between, i)
	}
	return f, nil
}

// middle is the one nearest to the middle between good and bad that is not left out, -1 if there is none.
func middle(good, bad int, out func(i int) bool) int {
	half := good + (bad-good)/2
	for d := 0; d < bad-good; d++ {
		for _, i := range []int{half - d, half + d} {
			if i > good && i < bad && !out(i) {
				return i
			}
		}
	}
	return -1
}
