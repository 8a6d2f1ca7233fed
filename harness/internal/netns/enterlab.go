package netns

// Thread returns the id, as the lab's programs see it, of a thread in the lab's host namespace and in the mounts of its
// programs.
func (w *World) Thread() int { return w.ground.thread() }
