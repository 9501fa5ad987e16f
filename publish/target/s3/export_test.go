package s3

// SetLimits makes copies of more than a few bytes copies of parts.
func (t *Target) SetLimits(copy, copyPart int64) { t.limits.copy, t.limits.copyPart = copy, copyPart }

// SetPutLimits makes uploads of more than a few bytes uploads of parts.
func (t *Target) SetPutLimits(put, part int64) { t.limits.put, t.limits.part = put, part }
