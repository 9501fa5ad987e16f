package s3

// SetLimits sets from which size on objects are copied in parts, and the size of the parts.
func (t *Target) SetLimits(copy, copyPart int64) { t.limits.copy, t.limits.copyPart = copy, copyPart }

// SetPutLimits sets from which size on objects are uploaded in parts, and the size of the parts.
func (t *Target) SetPutLimits(put, part int64) { t.limits.put, t.limits.part = put, part }
