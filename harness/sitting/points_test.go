package sitting

import (
	"slices"
	"testing"

	"netnscheck/harness/scenario"
)

func TestWorth(t *testing.T) {
	for _, c := range []struct {
		front       int // the line of the points in the front matter
		points      int
		steps, want []int // -1 for a step of which nothing is said
	}{
		{0, 0, []int{-1, -1, -1}, []int{1, 1, 1}},
		{0, 3, []int{3, -1}, []int{3, 1}},
		{0, 0, []int{0, -1}, []int{0, 1}},
		{2, 10, []int{-1, -1, -1}, []int{4, 3, 3}},
		{2, 10, []int{3, -1, 2, -1}, []int{3, 3, 2, 2}},
		{2, 3, []int{3, -1}, []int{3, 0}},
		{2, 0, []int{-1}, []int{0}},
		{2, 5, []int{3, 2}, []int{3, 2}},
	} {
		sc := &scenario.Scenario{Points: c.points, PointsLine: c.front}
		for _, points := range c.steps {
			step := scenario.Step{}
			if points >= 0 {
				step.Points, step.PointsLine = points, 9
			}
			sc.Steps = append(sc.Steps, step)
		}
		if got := Worth(sc); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestEarned(t *testing.T) {
	for _, c := range []struct {
		past              Past
		worth, cost, want int
	}{
		{Past{}, 3, 1, 0},
		{Past{Done: true}, 3, 1, 3},
		{Past{Done: true, Hints: 2}, 3, 0, 3},
		{Past{Done: true, Hints: 2}, 3, 1, 1},
		{Past{Done: true, Hints: 4}, 3, 1, 0},
		{Past{Done: true, Solved: true}, 3, 0, 0},
	} {
		if got := c.past.Earned(c.worth, c.cost); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
