package lab

import (
	"context"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/nft"
)

// chain reads the rules of a chain.
func (k *look) chain(ctx context.Context, q claim.ChainRules) (claim.NftChain, error) {
	rules, missing, known, err := nft.Chain(ctx, k.lab.world, q.Netns, nft.Name(q.Chain))
	return claim.NftChain{Missing: missing, Known: nftNames(known), Rules: rules}, err
}

// element asks a set for an element.
func (k *look) element(ctx context.Context, q claim.SetElement) (claim.NftSet, error) {
	e, missing, known, err := nft.Lookup(ctx, k.lab.world, q.Netns, nft.Name(q.Set), q.Element)
	return claim.NftSet{Missing: missing, Known: nftNames(known), Found: e.Found, Refusal: e.Refusal,
		Elements: e.All}, err
}

func nftNames(names []nft.Name) (all []claim.NftName) {
	for _, n := range names {
		all = append(all, claim.NftName(n))
	}
	return all
}
