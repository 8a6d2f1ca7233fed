package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Shard is the part of a plan that a run has played: one of several, which together are the plan.
type Shard struct {
	Number int `json:"number"` // from 1
	Of     int `json:"of"`
	// Suites are the names of all suites of the whole plan (Suite.Name), in its order.
	Suites []string `json:"suites"`
	// Plan is the SHA-256 sum of the whole plan: its suites, their variables and their cases. Shards of the same plan
	// have the same sum.
	Plan string `json:"plan"`
}

// The names of the properties that tell which shard of a plan was played, and how many a merged run had, in formats
// that have no other place for it.
const (
	ShardProperty  = "shard"
	ShardsProperty = "shards"
)

func (s *Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// ParseShard reads a shard as `--shard` names it: 2/3 is the second of three. The plan is not known yet.
func ParseShard(text string) (*Shard, error) {
	number, of, found := strings.Cut(text, "/")
	s := &Shard{}
	var err1, err2 error
	s.Number, err1 = strconv.Atoi(number)
	s.Of, err2 = strconv.Atoi(of)
	switch {
	case !found || err1 != nil || err2 != nil:
		return nil, errors.New("want a shard and their number, such as 1/3")
	case s.Of < 1:
		return nil, errors.New("there is at least one shard")
	case s.Number < 1 || s.Number > s.Of:
		return nil, fmt.Errorf("the shards are 1/%d to %d/%d", s.Of, s.Of, s.Of)
	}
	return s, nil
}

// Describe says of which plan it is a shard.
func (s *Shard) Describe(whole []Suite) {
	sum := sha256.New()
	s.Suites = nil
	for i := range whole {
		s.Suites = append(s.Suites, whole[i].Name())
		fmt.Fprintf(sum, "%q\n", whole[i].Name())
		for _, v := range whole[i].Variables {
			fmt.Fprintf(sum, "  %q = %q\n", v.Name, v.Value)
		}
		for _, c := range whole[i].Cases {
			fmt.Fprintf(sum, "  %q\n", c.Name)
		}
	}
	s.Plan = hex.EncodeToString(sum.Sum(nil))
}
