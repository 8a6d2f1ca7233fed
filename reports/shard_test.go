package reports

import "testing"

func TestParseShard(t *testing.T) {
	for text, want := range map[string]string{"1/1": "1/1", "2/3": "2/3", "16/16": "16/16"} {
		if s, err := ParseShard(text); err != nil || s.String() != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for text, want := range map[string]string{
		"":      "want a shard and their number, such as 1/3",
		"2":     "want a shard and their number, such as 1/3",
		"a/3":   "want a shard and their number, such as 1/3",
		"1/3/5": "want a shard and their number, such as 1/3",
		"1/0":   "there is at least one shard",
		"0/3":   "the shards are 1/3 to 3/3",
		"4/3":   "the shards are 1/3 to 3/3",
		"-1/3":  "the shards are 1/3 to 3/3",
	} {
		if s, err := ParseShard(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v, want %s", text, s, err, want)
		}
	}
}
