package netns

// Thread is the number of a thread that lives in the lab's host namespace and in the mounts of its programs: as the
// programs see it.
func (w *World) Thread() int { return w.ground.thread() }
