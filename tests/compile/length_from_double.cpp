#include "core/units.h"

// A recorded length is an exact integer: a binary fraction gets in only through Length::recorded, which rounds.
retromass::Length record(double measured_mm)
{
#ifdef MISTAKE
    return measured_mm;
#else
    return retromass::Length::recorded(measured_mm);
#endif
}
