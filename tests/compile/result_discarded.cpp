#include "core/result.h"

retromass::Result<int> count_slices();

// A failure that nobody looks at becomes a silent number.
bool try_it()
{
#ifdef MISTAKE
    count_slices();
    return true;
#else
    return count_slices().ok();
#endif
}
