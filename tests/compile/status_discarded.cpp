#include "core/result.h"

retromass::Status write_mask();

retromass::Status write_all()
{
#ifdef MISTAKE
    write_mask();
#else
    RETROMASS_TRY(write_mask());
#endif
    return retromass::Done{};
}
