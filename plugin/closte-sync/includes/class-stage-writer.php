<?php
/**
 * Saves stages through Ultimate Multisite, so that its cache, its hooks and its promotion to the
 * primary domain follow.
 *
 * A row that has changed since the engine read it is left alone. What an object cache remembers of
 * a row is never written over what the table contains; and as a save writes every column, the row is
 * locked from its reading to its saving, so that nothing that somebody changes in between is written over.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Writing, row by row.
 */
final class Stage_Writer {

	/**
	 * The most writes of one call.
	 */
	const MOST = 50;

	/**
	 * All the stages, whether the table has them or not.
	 */
	const STAGES = array( 'checking-dns', 'checking-ssl-cert', 'done-without-ssl', 'done', 'failed', 'ssl-failed' );

	/**
	 * The columns that a save writes, and whether each is a switch.
	 */
	const COLUMNS = array(
		'blog_id'        => false,
		'domain'         => false,
		'stage'          => false,
		'active'         => true,
		'primary_domain' => true,
		'secure'         => true,
	);

	/**
	 * The stages that the table has.
	 *
	 * @var string[]
	 */
	private $words;

	/**
	 * A writer for one call.
	 */
	public function __construct() {
		$this->words = Ultimate_Multisite::stage_words();
	}

	/**
	 * Save one stage.
	 *
	 * @param array $write `id`, `from`, `to`, `secure`; and the name of the row as `domain`, where the engine says it.
	 * @return array `id`, `result`, `detail`, `code`.
	 */
	public function write( array $write ) {
		global $wpdb;
		$write += array(
			'id'     => 0,
			'domain' => null,
			'from'   => null,
			'to'     => '',
			'secure' => false,
		);
		$wpdb->query( 'START TRANSACTION' ); // phpcs:ignore WordPress.DB
		try {
			return $this->write_locked( $write );
		} finally {
			// What is to be undone is undone by now.
			$wpdb->query( 'COMMIT' ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * The same, in a transaction.
	 *
	 * @param array $write All that a write has.
	 * @return array `id`, `result`, `detail`, `code`.
	 */
	private function write_locked( array $write ) {
		$id  = (int) $write['id'];
		$row = $this->lock( $id ) ? $this->row( $id ) : null;
		if ( null === $row || ! $this->is_named( $row, $write['domain'] ) || ! $this->is_stage( $row, $write['from'] ) ) {
			return $this->result( $id, 'overtaken' );
		}
		if ( ! in_array( $write['to'], $this->words, true ) ) {
			return $this->result( $id, 'refused', new \WP_Error( 'closte_sync_no_stage', __( 'The table does not have this stage.', 'closte-sync' ) ) );
		}
		$fault = Nudge::quietly(
			function () use ( $row, $write ) {
				return $this->save( $row, $write['to'], true === $write['secure'] );
			}
		);
		return null === $fault ? $this->result( $id, 'done' ) : $this->result( $id, 'refused', $fault );
	}

	/**
	 * Save a row; returns why it could not be saved.
	 *
	 * The row was there before us, so its name is not ours to judge: Ultimate Multisite's validation refuses
	 * wildcards and IDN top-level domains. A stage that the table does not have was refused before.
	 *
	 * @param array  $row    As the table holds it.
	 * @param string $stage  Its new stage.
	 * @param bool   $secure Whether it is set to be secure.
	 * @return \WP_Error|null
	 */
	private function save( array $row, $stage, $secure ) {
		try {
			$domain = $this->load( $row );
			if ( null === $domain ) {
				return new \WP_Error( 'closte_sync_stale', __( 'Ultimate Multisite shows a different row than the table.', 'closte-sync' ) );
			}
			$domain->set_stage( $stage );
			if ( $secure ) {
				$domain->set_secure( true );
			}
			if ( method_exists( $domain, 'set_skip_validation' ) ) {
				$domain->set_skip_validation( true );
			}
			$saved = $domain->save();
		} catch ( \Throwable $error ) {
			$this->undo();
			return new \WP_Error( 'closte_sync_failed', $error->getMessage() );
		}
		if ( is_wp_error( $saved ) ) {
			return $saved;
		}
		$missing = $this->missing( $this->row( (int) $row['id'] ), $stage, $secure );
		return null === $missing ? null : new \WP_Error( 'closte_sync_missing', $missing );
	}

	/**
	 * Undo half a save, in the table and in what the cache learned from it.
	 */
	private function undo() {
		global $wpdb;
		$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB
		wp_cache_flush();
	}

	/**
	 * What a save did not do.
	 *
	 * @param array|null $row    The row now.
	 * @param string     $stage  What it should have.
	 * @param bool       $secure Whether it should be secure.
	 * @return string|null
	 */
	private function missing( $row, $stage, $secure ) {
		if ( null === $row ) {
			return __( 'The row was deleted while it was saved.', 'closte-sync' );
		}
		if ( $stage !== $row['stage'] ) {
			/* translators: %s: a stage such as done. */
			return sprintf( __( 'After it was saved the row has the stage `%s`.', 'closte-sync' ), $row['stage'] );
		}
		if ( $secure && ! (int) $row['secure'] ) {
			return __( 'After it was saved the row is not secure.', 'closte-sync' );
		}
		return null;
	}

	/**
	 * The model of a row, with the current values of the row.
	 *
	 * @param array $row As the table holds it.
	 * @return object|null Null where Ultimate Multisite keeps showing something else.
	 */
	private function load( array $row ) {
		$domain = wu_get_domain( (int) $row['id'] );
		if ( ! $this->is_fresh( $domain, $row ) ) {
			// The name under which it is cached differs by version; saving it flushes all of it too.
			wp_cache_flush();
			$domain = wu_get_domain( (int) $row['id'] );
		}
		return $this->is_fresh( $domain, $row ) ? $domain : null;
	}

	/**
	 * Whether a model shows what the table holds.
	 *
	 * @param mixed $domain The model.
	 * @param array $row    As the table holds it.
	 * @return bool
	 */
	private function is_fresh( $domain, array $row ) {
		if ( ! is_object( $domain ) ) {
			return false;
		}
		$shown = $this->shown( $domain );
		foreach ( self::COLUMNS as $column => $is_switch ) {
			$held = $is_switch ? (int) $row[ $column ] : strtolower( (string) $row[ $column ] );
			if ( ! array_key_exists( $column, $shown ) ) {
				continue;
			}
			$is = $is_switch ? (int) $shown[ $column ] : strtolower( (string) $shown[ $column ] );
			if ( $held !== $is ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * What a model shows of its columns. `is_active()` is less exact: it also depends on the stage.
	 *
	 * @param object $domain The model.
	 * @return array
	 */
	private function shown( $domain ) {
		if ( method_exists( $domain, 'to_array' ) ) {
			return $domain->to_array();
		}
		return array(
			'blog_id'        => $domain->get_blog_id(),
			'domain'         => $domain->get_domain(),
			'stage'          => $domain->get_stage(),
			'primary_domain' => $domain->is_primary_domain(),
			'secure'         => $domain->is_secure(),
		);
	}

	/**
	 * Whether a row has a stage. Any value that is not one of the six counts as none.
	 *
	 * @param array       $row   As the table holds it.
	 * @param string|null $stage Which.
	 * @return bool
	 */
	private function is_stage( array $row, $stage ) {
		$has = (string) $row['stage'];
		return null === $stage ? ! in_array( $has, self::STAGES, true ) : $stage === $has;
	}

	/**
	 * Whether a row has a name.
	 *
	 * @param array $row    As the table holds it.
	 * @param mixed $domain The name; anything that is no text is any.
	 * @return bool
	 */
	private function is_named( array $row, $domain ) {
		return ! is_string( $domain ) || strtolower( $domain ) === strtolower( (string) $row['domain'] );
	}

	/**
	 * Be the only one who changes a row until the transaction ends. It is no `SELECT … FOR UPDATE`: SQLite has
	 * none, and where there are replicas a `SELECT` may be sent to one.
	 *
	 * @param int $id Its id.
	 * @return bool Whether we are; else somebody is changing it.
	 */
	private function lock( $id ) {
		global $wpdb;
		$table = Ultimate_Multisite::mappings_table();
		// phpcs:ignore WordPress.DB -- It changes nothing.
		return false !== $wpdb->query( $wpdb->prepare( "UPDATE `$table` SET id = id WHERE id = %d", $id ) );
	}

	/**
	 * A row, straight from the table.
	 *
	 * @param int $id Its id.
	 * @return array|null
	 */
	private function row( $id ) {
		global $wpdb;
		$table = Ultimate_Multisite::mappings_table();
		// phpcs:ignore WordPress.DB -- A cache is what we avoid.
		return $wpdb->get_row( $wpdb->prepare( "SELECT * FROM `$table` WHERE id = %d", $id ), ARRAY_A );
	}

	/**
	 * An answer to one write.
	 *
	 * @param int            $id     Of the mapping.
	 * @param string         $result The result.
	 * @param \WP_Error|null $fault  Why.
	 * @return array
	 */
	private function result( $id, $result, $fault = null ) {
		return array(
			'id'     => $id,
			'result' => $result,
			'detail' => null === $fault ? null : $fault->get_error_message(),
			'code'   => null === $fault ? null : (string) $fault->get_error_code(),
		);
	}
}
