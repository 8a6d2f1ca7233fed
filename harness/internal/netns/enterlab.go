package netns

// Thread is the number of the lab's thread, which lives in its host namespace and, unless the lab is Shared, in its
// mount namespace: as processes see it that see this one's numbers.
func (w *World) Thread() int { return w.thread.tid }
