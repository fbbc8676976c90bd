/**
 * Errors of the Iceberg REST catalog: `{"error": {"message", "type", "code"}}` with the exception names that Java clients know.
 *
 * source  Iceberg REST OpenAPI, ErrorModel and IcebergErrorResponse
 */
const icebergErrorStatus = {
  BadRequestException: 400,
  NotAuthorizedException: 401,
  ForbiddenException: 403,
  NoSuchNamespaceException: 404,
  NoSuchTableException: 404,
  NoSuchViewException: 404,
  NotFoundException: 404,
  UnsupportedOperationException: 406,
  ServiceUnavailableException: 503,
  InternalServerError: 500,
} as const
export type IcebergErrorType = keyof typeof icebergErrorStatus

export class IcebergError extends Error {
  override readonly name = 'IcebergError'
  readonly type: IcebergErrorType
  readonly status: number

  constructor(type: IcebergErrorType, message: string) {
    super(message)
    this.type = type
    this.status = icebergErrorStatus[type]
  }

  body(): string {
    return JSON.stringify({ error: { message: this.message, type: this.type, code: this.status } })
  }
}
