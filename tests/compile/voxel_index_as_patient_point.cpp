#include "core/geometry.h"

// Voxel and patient space are different types; only a geometry leads from one to the other.
retromass::PatientPoint position(const retromass::VolumeGeometry& geometry, retromass::Index voxel)
{
#ifdef MISTAKE
    (void)geometry;
    return voxel;
#else
    return geometry.to_patient(voxel);
#endif
}
