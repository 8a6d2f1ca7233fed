package guest

import (
	"errors"
	"slices"
	"testing"
)

func TestAnswer(t *testing.T) {
	const list = "rtnl_link_geneve /m/udp_tunnel.ko /m/geneve.ko\nnft_expr_x ?/m/soft.ko /m/x.ko\ngeneve /m/geneve.ko\n"
	for _, c := range []struct {
		name, broken string
		loaded       []string
		err          string
	}{
		{name: "rtnl-link-geneve", loaded: []string{"/m/udp_tunnel.ko", "/m/geneve.ko"}},
		{name: "geneve", loaded: []string{"/m/geneve.ko"}},
		{name: "nft-expr-x", broken: "/m/soft.ko", loaded: []string{"/m/soft.ko", "/m/x.ko"}},
		{name: "nft-expr-x", broken: "/m/x.ko", loaded: []string{"/m/soft.ko", "/m/x.ko"},
			err: "load /m/x.ko for nft_expr_x: no memory"},
		{name: "gen", err: "there is no module gen"},
		{name: "", err: "there is no module "},
	} {
		var loaded []string
		err := answer(list, c.name, func(path, _ string) error {
			loaded = append(loaded, path)
			if path == c.broken {
				return errors.New("no memory")
			}
			return nil
		})
		text := ""
		if err != nil {
			text = err.Error()
		}
		if !slices.Equal(loaded, c.loaded) || text != c.err {
			t.Errorf("%q: loaded %v, %q; want %v, %q", c.name, loaded, text, c.loaded, c.err)
		}
	}
}
