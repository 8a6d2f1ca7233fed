// Package labworld hands the World of a lab to other packages of this project. Package lab, which other modules import,
// can show it to nobody: its exported names mention no type that they may not import. It may be imported by lab, which
// sets Of, and by whatever puts files, terminals or programs of its own into a lab. It does nothing else.
package labworld

import "netnscheck/harness/internal/netns"

// Of is the World of a lab, given as *lab.Lab; anything else panics. Whatever is done to it may change the lab at any
// time.
var Of func(lab any) *netns.World
