/* Error classes, codes and strings that the program adds and removes; the texts of errors that happen (MPI 5.0 sections 9.4, 9.5). */
#include "check.h"

static const char *text_of(int code) {
    static char text[MPI_MAX_ERROR_STRING];
    int length = -1;
    OK(MPI_Error_string(code, text, &length));
    EQ(length, (int)strlen(text));
    return text;
}

static int class_of(int code) {
    int class_number = -1;
    OK(MPI_Error_class(code, &class_number));
    return class_number;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int new_class, code, other;
    EQ(class_of(MPI_SUCCESS), MPI_SUCCESS);
    for (int standard = MPI_ERR_BUFFER; standard <= MPI_ERR_ROOT; standard++) {
        EQ(class_of(standard), standard);
        CHECK(strlen(text_of(standard)) > 0);
    }
    OK(MPI_Add_error_class(&new_class));
    CHECK(new_class > MPI_ERR_LASTCODE);
    EQ(class_of(new_class), new_class);
    EQ_STR(text_of(new_class), "");
    OK(MPI_Add_error_code(new_class, &code));
    OK(MPI_Add_error_code(MPI_ERR_OTHER, &other));
    EQ(class_of(code), new_class);
    EQ(class_of(other), MPI_ERR_OTHER);
    OK(MPI_Add_error_string(new_class, "class of its own"));
    OK(MPI_Add_error_string(code, "code of its own"));
    OK(MPI_Add_error_string(code, "another text"));
    EQ_STR(text_of(new_class), "class of its own");
    EQ_STR(text_of(code), "another text");

    /* First the string, then the code, then the class. */
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    FAILS(MPI_Remove_error_class(new_class), MPI_ERR_ARG);
    FAILS(MPI_Remove_error_code(code), MPI_ERR_ARG);
    FAILS(MPI_Remove_error_code(MPI_ERR_TAG), MPI_ERR_ARG);
    FAILS(MPI_Add_error_string(MPI_ERR_TAG, "mine"), MPI_ERR_ARG);
    FAILS(MPI_Add_error_code(code, &other), MPI_ERR_ARG);
    OK(MPI_Remove_error_string(code));
    EQ_STR(text_of(code), "");
    OK(MPI_Remove_error_code(code));
    OK(MPI_Remove_error_string(new_class));
    OK(MPI_Remove_error_class(new_class));
    FAILS(MPI_Remove_error_class(new_class), MPI_ERR_ARG);
    FAILS(MPI_Error_class(code, &new_class), MPI_ERR_ARG);

    /* An error that happened knows what exactly went wrong. */
    int value = 0, wrong;
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    wrong = MPI_Send(&value, 1, MPI_INT, world_size + 41, 0, MPI_COMM_WORLD);
    EQ(class_of(wrong), MPI_ERR_RANK);
    char number[16];
    snprintf(number, sizeof number, "%d", world_size + 41);
    CHECK_MSG(strstr(text_of(wrong), number) != NULL, "the text does not name rank %s: %s", number, text_of(wrong));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
