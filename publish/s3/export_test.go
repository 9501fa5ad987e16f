package s3

// SetLimits makes copies of more than a few bytes copies of parts.
func (t *Target) SetLimits(copy, copyPart int64) { t.limits.copy, t.limits.copyPart = copy, copyPart }
